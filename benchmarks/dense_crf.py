"""Time the dense CRF's two backends on one and the same input, and count where their labels differ; and with each
backend two CRFs of one image, as an affinity label needs them, apart and with common kernels.

    python benchmarks/dense_crf.py
    python benchmarks/dense_crf.py --image photo.jpg --labels 21 --preset deeplabv2
"""

import argparse
import time

import numpy as np
import torch
from PIL import Image

from mmamr.refine import AFFINITYNET_CRF, DEEPLABV2_CRF, IRNET_CRF, CRFParams, DenseCRF, dense_crf

PRESETS = {'irnet': IRNET_CRF, 'affinitynet': AFFINITYNET_CRF, 'deeplabv2': DEEPLABV2_CRF}


def photo(path: str | None, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """The photo at ``path``, or smooth colours with a little noise; RGB of the size asked for."""
    if path:
        return np.array(Image.open(path).convert('RGB').resize((width, height)))
    colours = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((width, height), Image.BICUBIC)
    return (np.array(colours) + rng.normal(0, 6, (height, width, 3))).clip(0, 255).astype(np.uint8)


def compare_pairs(
    image: np.ndarray, labels: np.ndarray, number: int, params: CRFParams, repeats: int, **options: str
) -> str:
    """Two CRFs of one image, apart and by one :class:`DenseCRF`, in turns: the ratio of times and the difference."""
    pair = labels, labels[::-1]
    apart, shared = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        expected = [dense_crf(image, one, params, num_labels=number, **options) for one in pair]
        between = time.perf_counter()
        crf = DenseCRF(image, params, **options)
        ours = [crf(one, number) for one in pair]
        apart.append(between - start)
        shared.append(time.perf_counter() - between)
    apart, shared = sorted(apart)[repeats // 2], sorted(shared)[repeats // 2]
    difference = max(abs(one - other).max() for one, other in zip(expected, ours))
    return (
        f'two CRFs of one image, {options["backend"]}: {apart:.3f} s apart, {shared:.3f} s with common kernels, '
        f'{shared / apart:.2f} of the time, largest difference {difference:.1e}'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--image', help='a photo; drawn if none is given')
    parser.add_argument('--size', type=int, nargs=2, default=(375, 500), metavar=('H', 'W'))
    parser.add_argument('--labels', type=int, default=4, help='number of labels, background included')
    parser.add_argument('--preset', choices=PRESETS, default='irnet')
    parser.add_argument('--device', default='cpu', help='of the torch backend')
    parser.add_argument('--threads', type=int, default=2, help='of the torch backend; pydensecrf has one')
    parser.add_argument('--repeats', type=int, default=5, help='of which the median is shown')
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    rng = np.random.default_rng(0)
    height, width = args.size
    image = photo(args.image, height, width, rng)
    coarse = rng.integers(0, args.labels, (5, 7), dtype=np.uint8)
    labels = np.array(Image.fromarray(coarse).resize((width, height), Image.NEAREST)).astype(np.int64)

    results = {}
    for backend, device in (('pydensecrf', 'cpu'), ('torch', args.device)):
        clock, cores = [], []
        for _ in range(args.repeats):
            start, busy = time.perf_counter(), time.process_time()
            belief = dense_crf(
                image, labels, PRESETS[args.preset], num_labels=args.labels, backend=backend, device=device
            )
            clock.append(time.perf_counter() - start)
            cores.append(time.process_time() - busy)
        results[backend] = belief, sorted(clock)[args.repeats // 2]
        busy = sorted(cores)[args.repeats // 2]
        print(f'{backend:>10}: {results[backend][1]:7.3f} s, {busy:7.3f} s of processor time', flush=True)
    (theirs, their_time), (ours, our_time) = results['pydensecrf'], results['torch']
    differing = (theirs.argmax(0) != ours.argmax(0)).mean()
    print(
        f'{height}x{width}, {args.labels} labels, {args.preset}: torch on {args.device} takes '
        f'{our_time / their_time:.2f} times as long, {100 * differing:.4f} % of the labels differ, '
        f'mean difference of the probabilities {abs(theirs - ours).mean():.1e}'
    )
    for backend, device in (('pydensecrf', 'cpu'), ('torch', args.device)):
        print(
            compare_pairs(
                image, labels, args.labels, PRESETS[args.preset], args.repeats, backend=backend, device=device
            ),
            flush=True,
        )


if __name__ == '__main__':
    main()
