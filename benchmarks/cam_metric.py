"""Time the metric over CAM files with five ξ against its former form, on the same files in turns; counts must be equal.

The former form opened a file twice, and for each row made the maps larger, searched the thresholds and counted over all
classes.

    python benchmarks/cam_metric.py
    python benchmarks/cam_metric.py --images 40 --size 375 500
"""

import argparse
import os.path as osp
import tempfile
import zipfile

import numpy as np
import torch
from PIL import Image
from results import add_csv_option, in_turns, middle, write_rows

from mmamr.cams import mix, upsample
from mmamr.compat import keep_freed_memory
from mmamr.evaluation import CAMMetric, ThresholdSweep
from mmamr.evaluation.threshold_sweep import IGNORE, check_values
from mmamr.fileio import CAMFolder
from mmamr.fileio.cam_file import PREFIX, find_problem
from mmamr.structures import CAM, VOC_CLASSES, strided_size

XIS = (0.1, 0.3, 0.5, 0.7, 0.9)


def draw(folder: str, images: int, size: tuple[int, int]) -> list[np.ndarray]:
    """Write smooth CAMs of one to three classes, and give the masks that belong to them."""
    rng = np.random.default_rng(0)
    files, masks = CAMFolder(folder), []
    height, width = strided_size(size)
    for index in range(images):
        classes = np.sort(rng.choice(len(VOC_CLASSES), rng.choice([1, 1, 2, 3]), replace=False))
        maps = {
            name: np.stack(
                [
                    np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).clip(0, 1)
                    for coarse in rng.random((len(classes), 4, 5), dtype=np.float32)
                ]
            )
            for name in ('spotlight', 'compensation')
        }
        files.write(str(index), CAM(maps, classes, size))
        coarse = np.concatenate([[0, 0, IGNORE], classes + 1])[rng.integers(0, 3 + len(classes), (5, 5))]
        masks.append(np.array(Image.fromarray(coarse.astype(np.uint8)).resize(size[::-1], Image.Resampling.NEAREST)))
    return masks


class FormerSweep(ThresholdSweep):
    """Every row for itself, by a search over the thresholds."""

    def update(self, maps, classes, target, background=None) -> None:  # type: ignore[override]
        check_values(target, self.num_classes, 'mask')
        valid = target != IGNORE
        truth = target[valid].astype(np.int64)
        best = maps.argmax(0)
        score = np.take_along_axis(maps, best[None], 0)[0][valid].astype(np.float32)
        reached = np.searchsorted(self.thresholds, score, side='right')
        winner = np.asarray(classes, dtype=np.int64)[best[valid]]
        _, classes_total, truths = self.counts.shape
        index = (reached * classes_total + winner) * truths + truth
        self.counts += np.bincount(index, minlength=self.counts.size).reshape(self.counts.shape)


class FormerMetric(CAMMetric):
    """Every row from the CAM to its counts."""

    def process(self, data_batch, data_samples) -> None:
        for sample in data_samples:
            cam, mask = sample['cam'], sample['mask']
            for row, xi in self.rows(cam.maps).items():
                if row not in self.sweeps:
                    self.sweeps[row] = FormerSweep(len(VOC_CLASSES), self.thresholds)
                self.sweeps[row].update(upsample(mix(cam, xi), mask.shape), cam.classes, mask)


def read_twice(path: str) -> CAM:
    """A CAM file, opened once to see how large it is and once to read it."""
    if not zipfile.is_zipfile(path):
        raise ValueError(path)
    with zipfile.ZipFile(path) as archive:
        assert max(one.file_size for one in archive.infolist()) < 1 << 28
    with np.load(path) as file:
        assert {name: file[name] for name in ('classes', 'size')}
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    assert find_problem(arrays) is None
    maps = {name[len(PREFIX) :]: value for name, value in arrays.items() if name.startswith(PREFIX)}
    return CAM(maps, arrays['classes'].astype(np.int64), tuple(arrays['size'].tolist()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--images', type=int, default=300)
    parser.add_argument('--size', type=int, nargs=2, default=(64, 64), metavar=('H', 'W'))
    parser.add_argument('--repeats', type=int, default=5, help='of which the median is shown')
    parser.add_argument('--threads', type=int, default=1)
    add_csv_option(parser)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    keep_freed_memory()  # as tools/train.py does
    counts = {}
    with tempfile.TemporaryDirectory() as folder:
        masks = draw(folder, args.images, tuple(args.size))
        files = CAMFolder(folder)

        def former() -> None:
            metric = FormerMetric(xis=XIS)
            for index, mask in enumerate(masks):
                cam = read_twice(osp.join(folder, f'{index}.npz'))
                metric.process(None, [dict(cam=cam, mask=mask)])
            counts['former form'] = metric.sweeps

        def ours() -> None:
            metric = CAMMetric(xis=XIS)
            metric.dataset_meta = dict(classes=VOC_CLASSES)
            for index, mask in enumerate(masks):
                metric.process(None, [dict(cam=files.read(str(index), mask.shape), mask=mask)])
            counts['once a photo'] = metric.sweeps

        times = in_turns({'former form': former, 'once a photo': ours}, args.repeats)
    rows = []
    for name, values in times.items():
        ratio = middle([one / other for one, other in zip(times['former form'], values)])
        differing = sum(
            int((counts['former form'][row].counts != sweep.counts).sum()) for row, sweep in counts[name].items()
        )
        rows.append(
            {
                'photos': f'{args.images} of {args.size[0]}x{args.size[1]}',
                'form': name,
                'processor time a photo (ms)': f'{1e3 * middle(values) / args.images:.2f}',
                'ratio': f'{ratio:.1f}',
                'counts that differ': differing,
            }
        )
        print(*(f'{key}: {value}' for key, value in rows[-1].items()), sep=', ')
    write_rows(args.csv, rows)


if __name__ == '__main__':
    main()
