"""Time the losses of IRNet and AffinityNet, forward and backward, against the gather form that was published.

The gather form indexes every pixel of every path (IRNet) or both features of every pair (AffinityNet) and keeps them
for the gradient. Its indices and the labels of its pairs, which the original makes beside the model, are given to it
before the clock starts; ours makes its own meanwhile. Maps are those of a 512-pixel crop at stride 4, and of a
448-pixel crop at stride 8. On a machine that does other work as well, more than one thread mostly waits for the others.

    python benchmarks/affinity_loss.py
    python benchmarks/affinity_loss.py --batch-size 16 --device cuda
"""

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable

import torch
from torch import Tensor

from mmamr.models.losses import DisplacementLoss, FeatureAffinityLoss, PathAffinityLoss
from mmamr.models.losses.pairs import BACKGROUND, DIFFERENT, FOREGROUND, pair_labels
from mmamr.refine import displacements, path

EPS = 1e-5
# name: (channels, side of the map, radius)
LOSSES = {'path affinity': (1, 128, 10), 'displacement': (2, 128, 10), 'feature affinity': (448, 56, 5)}


def pixels(side: int, y: int, x: int, radius: int) -> Tensor:
    """Flat indices of the sources moved by ``(y, x)``."""
    margin = radius - 1
    index = torch.arange(side * side).view(side, side)
    return index[y : y + side - margin, margin + x : side - margin + x].flatten()


def labels_of(segmap: Tensor, radius: int) -> list[Tensor]:
    """Which pairs are background, foreground and different, each of shape ``(N, pairs, sources)``."""
    labels = torch.stack([pair_labels(segmap, dy, dx, radius).flatten(1) for dy, dx in displacements(radius)], dim=1)
    return [(labels == kind).float() for kind in (BACKGROUND, FOREGROUND, DIFFERENT)]


def mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / (mask.sum() + EPS)


def cross_entropy(affinity: Tensor, masks: list[Tensor]) -> Tensor:
    same, different = -torch.log(affinity + EPS), -torch.log(1 + EPS - affinity)
    return mean(same, masks[0]) / 4 + mean(same, masks[1]) / 4 + mean(different, masks[2]) / 2


def gather_path_affinity(side: int, radius: int, device: str) -> Callable:
    """All paths of one length are gathered by one index of shape ``(paths, length, sources)``."""
    offsets = displacements(radius)
    order = sorted(range(len(offsets)), key=lambda i: len(path(*offsets[i])))
    groups: dict[int, list[Tensor]] = {}
    for i in order:
        way = path(*offsets[i])
        groups.setdefault(len(way), []).append(torch.stack([pixels(side, y, x, radius) for y, x in way]))
    indices = [torch.stack(group).to(device) for group in groups.values()]
    back = torch.tensor(order, device=device).argsort()

    def loss(edge: Tensor, masks: list[Tensor]) -> Tensor:
        edge = edge.flatten(1)
        affinity = []
        for index in indices:
            on_paths = edge.index_select(1, index.flatten()).view(len(edge), *index.shape)
            affinity.append(1 - torch.nn.functional.max_pool2d(on_paths, (index.shape[1], 1)).squeeze(2))
        return cross_entropy(torch.cat(affinity, dim=1)[:, back], masks)

    return loss


def gather_displacement(side: int, radius: int, device: str) -> Callable:
    offsets = displacements(radius)
    source = pixels(side, 0, 0, radius).to(device)
    target = torch.stack([pixels(side, dy, dx, radius) for dy, dx in offsets]).to(device)
    between = torch.tensor(offsets, device=device).T[None, :, :, None].float()

    def loss(field: Tensor, masks: list[Tensor]) -> Tensor:
        field = field.flatten(2)
        difference = field[:, :, None, source] - field[:, :, target]
        foreground, background = (difference - between).abs().mean(1), difference.abs().mean(1)
        return mean(foreground, masks[1]) / 2 + mean(background, masks[0]) / 2

    return loss


def gather_feature_affinity(side: int, radius: int, device: str) -> Callable:
    source = pixels(side, 0, 0, radius).to(device)
    target = torch.stack([pixels(side, dy, dx, radius) for dy, dx in displacements(radius)]).to(device)

    def loss(feature: Tensor, masks: list[Tensor]) -> Tensor:
        feature = feature.flatten(2)
        distance = (feature[:, :, target] - feature[:, :, None, source]).abs().mean(dim=1)
        return cross_entropy(torch.exp(-distance), masks)

    return loss


GATHER = {
    'path affinity': gather_path_affinity,
    'displacement': gather_displacement,
    'feature affinity': gather_feature_affinity,
}
OURS = {'path affinity': PathAffinityLoss, 'displacement': DisplacementLoss, 'feature affinity': FeatureAffinityLoss}


def measure(name: str, form: str, args: argparse.Namespace, results) -> None:
    """Put loss, gradient, median seconds on the clock and of all cores, and the MB added at the peak into results."""
    torch.set_num_threads(args.threads)
    channels, side, radius = LOSSES[name]
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(args.batch_size, channels, side, side, generator=generator)
    x = (x.sigmoid() if name == 'path affinity' else x).to(args.device).requires_grad_()
    # Objects of about a quarter of the map, a fifth of it not sure.
    coarse = torch.tensor([0, 0, 1, 2, 255])[torch.randint(0, 5, (args.batch_size, 7, 7), generator=generator)]
    segmap = torch.nn.functional.interpolate(coarse[:, None].float(), size=(side, side))[:, 0].to(args.device).byte()
    if form == 'gather':
        loss, target = GATHER[name](side, radius, args.device), labels_of(segmap, radius)
    else:
        terms, target = OURS[name](radius=radius), segmap

        def loss(x: Tensor, target: Tensor) -> Tensor:
            return sum(terms(x, target).values())

    cuda = args.device.startswith('cuda')
    clock, cores = [], []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if cuda:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated() / 2**20
    for _ in range(args.repeats):
        x.grad = None
        start, busy = time.perf_counter(), time.process_time()
        value = loss(x, target)
        value.backward()
        if cuda:
            torch.cuda.synchronize()
        clock.append(time.perf_counter() - start)
        cores.append(time.process_time() - busy)
    peak = (
        torch.cuda.max_memory_allocated() / 2**20 if cuda else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    )
    middle = args.repeats // 2
    results.put((value.item(), x.grad.cpu().numpy(), sorted(clock)[middle], sorted(cores)[middle], peak - before))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--losses', nargs='+', choices=LOSSES, default=list(LOSSES))
    parser.add_argument('--batch-size', type=int, default=4)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--repeats', type=int, default=5, help='of which the median is shown')
    args = parser.parse_args()

    # Each in a process of its own, so that the peak of one does not hide that of the other.
    spawn = multiprocessing.get_context('spawn')
    for name in args.losses:
        found = {}
        for form in ('ours', 'gather'):
            results = spawn.Queue()
            process = spawn.Process(target=measure, args=(name, form, args, results))
            process.start()
            found[form] = results.get()
            process.join()
            _, _, clock, cores, memory = found[form]
            print(
                f'{name:>16} {form:>6}: {clock:7.3f} s, {cores:7.3f} s of processor time, {memory:6.0f} MB', flush=True
            )
        ours, gather = found['ours'], found['gather']
        print(
            f'{name:>16} of {args.batch_size} maps: {gather[2] / ours[2]:.1f} times faster, '
            f'{gather[3] / ours[3]:.1f} in processor time, {gather[4] / ours[4]:.1f} times less memory, '
            f'difference of the loss {abs(ours[0] - gather[0]):.0e}, '
            f'of the gradient {abs(ours[1] - gather[1]).max():.0e} of {abs(gather[1]).max():.0e}'
        )


if __name__ == '__main__':
    main()
