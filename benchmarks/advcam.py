"""Time adversarial climbing against the released form on the same images: steps a second, and how far the maps differ.

The released form climbs one class of one image at a time; a step is a pass forward and backward for Grad-CAM, with
hooks on the last feature map, and another for the move (``--forwards 1``: both backward passes after one forward pass),
and parameters take gradients throughout. Ours climbs several pairs of image and class together, one forward and one
backward pass a step. A step here is one of one pair. Rounding grows with every step, most of all with random weights;
``--double`` shows that both compute the same. On a machine that does other work as well, processor time is the fairer
figure.

    python benchmarks/advcam.py
    python benchmarks/advcam.py --double
    python benchmarks/advcam.py --backbone resnet50 --size 375 500 --steps 3
"""

import argparse
import os.path as osp
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import Tensor, nn

import mmamr  # noqa: F401  (before anything of OpenMMLab)
from mmamr.cams import Climbing, climb
from mmamr.compat import keep_freed_memory
from mmamr.models.utils import folded_norms
from mmamr.registry import MODELS

CONFIGS = osp.join(osp.dirname(osp.abspath(__file__)), '..', 'configs', 'amr')
BACKBONES = dict(
    mobilenet='cam_mobilenet-v2_1xb16-4e_voc-animals-225px.py', resnet50='cam_resnet50_1xb16-8e_voc12aug-512px.py'
)


class Result(NamedTuple):
    """Summed regions ``(P, h, w)`` and the seconds that they took."""

    regions: Tensor
    clock: float
    cores: float


def build_branch(backbone: str) -> nn.Module:
    """A branch with random weights in evaluation mode, BatchNorm with the statistics of noise."""
    torch.manual_seed(0)
    branch = MODELS.build(Config.fromfile(osp.join(CONFIGS, BACKBONES[backbone])).model).spotlight.train()
    for norm in branch.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.train()
            norm.momentum = 1.0
    with torch.no_grad():
        branch(torch.randn(2, 3, 128, 128))
    return branch.eval()


def released_form(branch: nn.Module, views: Tensor, classes: Tensor, climbing: Climbing, forwards: int) -> Tensor:
    """Grad-CAM with hooks, one pair at a time, two backward passes a step."""
    branch.requires_grad_(True)
    kept: dict[str, Tensor] = {}

    def keep(_module: nn.Module, inputs: tuple[Tensor], _output: Tensor) -> None:
        kept['features'] = inputs[0] if isinstance(inputs[0], Tensor) else inputs[0][-1]
        kept['features'].register_hook(lambda gradient: kept.update(gradient=gradient))

    handle = branch.head.register_forward_hook(keep)
    sums = []
    for pair, label in zip(views, classes.tolist()):
        total = first = None
        for _ in range(climbing.steps):
            pair = pair.detach().requires_grad_()
            maps = branch(pair)
            branch.zero_grad()
            F.relu(maps[:, label]).sum().backward(retain_graph=forwards == 1)
            gradient = kept['gradient']
            if forwards == 2:
                maps = branch(pair)
            weights = gradient.sum((2, 3), keepdim=True) / (gradient > 0).sum().clamp(min=1)
            region = (weights * kept['features']).sum(1).relu()
            region = region[0] + region[1].flip(-1)
            first = region.detach() if first is None else first
            total = region.detach() if total is None else total + region.detach()
            scores = maps.relu().mean((2, 3)).sum(0)
            mask = region.detach() > climbing.threshold * region.detach().max()
            drift = ((region - first).abs() * mask).sum()
            gain = 2 * scores[label] - scores.sum() - climbing.coefficient * drift
            branch.zero_grad()
            pair.grad = None
            gain.backward()
            move = climbing.step_size * pair.grad / pair.grad.abs().max().clamp(min=1e-12)
            pair = (pair.detach() + move).clamp(pair.min().item(), pair.max().item())
        sums.append(total)
    handle.remove()
    return torch.stack(sums)


def batched(branch: nn.Module, views: Tensor, classes: Tensor, climbing: Climbing) -> Tensor:
    """What the CAM stage runs: ``max_batch`` pairs at a time."""
    branch.requires_grad_(False).to(memory_format=torch.channels_last)
    parts = zip(views.split(climbing.max_batch), classes.split(climbing.max_batch))
    with folded_norms(branch, views[:1, 0, :, :64, :64]):  # as the CAM stage does
        regions = [climb(branch, some, labels, branch.head.positive_weights, climbing)[0] for some, labels in parts]
    return torch.cat(regions)


def measure(run: Callable, branch: nn.Module, views: Tensor, classes: Tensor, climbing: Climbing, *args) -> Result:
    """Time one pass over all pairs, after a first one over a small image."""
    run(branch, views[:1, ..., :64, :64].contiguous(), classes[:1], climbing, *args)
    clock, cores = time.perf_counter(), time.process_time()
    regions = run(branch, views, classes, climbing, *args)
    return Result(regions, time.perf_counter() - clock, time.process_time() - cores)


def difference(one: Tensor, other: Tensor) -> float:
    """The largest difference between regions, each divided by its maximum."""
    one, other = (maps / maps.amax((1, 2), keepdim=True).clamp(min=1e-12) for maps in (one, other))
    return float((one - other).abs().max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--backbone', choices=BACKBONES, default='mobilenet')
    parser.add_argument('--size', type=int, nargs=2, default=(160, 224), metavar=('H', 'W'), help='default: 160 224')
    parser.add_argument('--images', type=int, default=3, help='images of noise; default: 3')
    parser.add_argument('--classes', type=int, default=2, help='classes of each; default: 2')
    parser.add_argument('--steps', type=int, default=5, help='regions that are added up; default: 5')
    parser.add_argument('--max-batch', type=int, default=8, help='pairs of image and class at once; default: 8')
    parser.add_argument('--forwards', type=int, choices=(1, 2), default=2, help='of the released form; default: 2')
    parser.add_argument('--double', action='store_true', help='float64')
    parser.add_argument('--threads', type=int, default=2)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    branch = build_branch(args.backbone)
    climbing = Climbing(steps=args.steps, max_batch=args.max_batch)
    images = torch.randn(args.images, 3, *args.size)
    views = torch.stack([images, images.flip(-1)], 1).repeat_interleave(args.classes, 0)
    if args.double:
        branch, views = branch.double(), views.double()
    classes = torch.arange(args.classes).repeat(args.images)
    rows: list[tuple[str, Result]] = [
        ('released form', measure(released_form, branch, views, classes, climbing, args.forwards))
    ]
    keep_freed_memory()  # as tools/test.py does; it cannot be taken back, so the released form goes first
    rows.append(('batched', measure(batched, branch, views, classes, climbing)))

    steps, released = len(classes) * args.steps, rows[0][1]
    print(
        f'{args.images} images of {args.size[0]}x{args.size[1]} with mirror images, {args.classes} classes each, '
        f'{args.steps} steps, {args.backbone}, {args.threads} threads'
    )
    for name, row in rows:
        print(
            f'{name:14s} {steps / row.clock:7.2f} steps/s  {row.cores / steps:7.3f} core seconds/step  '
            f'ratio {released.clock / row.clock:5.2f} by the clock  {released.cores / row.cores:5.2f} by the cores  '
            f'largest difference {difference(released.regions, row.regions):.1e}'
        )


if __name__ == '__main__':
    main()
