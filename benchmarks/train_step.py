"""Time a training step of AMR with shared frozen layers against branches that share nothing: seconds, and gradients.

Both have the same weights; a step is the losses of a batch of noise and their gradients, without the optimizer. On a
machine that does other work as well, processor time is the fairer figure.

    python benchmarks/train_step.py
    python benchmarks/train_step.py --batch-size 4 --size 321 --threads 1
"""

import argparse
import os.path as osp
import time
from typing import NamedTuple

import torch
from make_cams import BACKBONES, CONFIGS, build_model, separate_branches  # the benchmark beside this one
from mmengine.config import Config
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmamr.compat import keep_freed_memory
from mmamr.registry import MODELS


class Result(NamedTuple):
    """The fastest step, and its gradients by parameter name."""

    clock: float
    cores: float
    gradients: dict[str, Tensor]


def measure(model: nn.Module, images: Tensor, samples: list[DataSample], steps: int) -> Result:
    """Time steps after a first one."""
    clocks, cores = [], []
    for _ in range(steps + 1):
        model.zero_grad()
        clock, core = time.perf_counter(), time.process_time()
        sum(model(images, samples, mode='loss').values()).backward()
        clocks.append(time.perf_counter() - clock)
        cores.append(time.process_time() - core)
    gradients = {name: one.grad for name, one in model.named_parameters() if one.grad is not None}
    return Result(min(clocks[1:]), min(cores[1:]), gradients)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--batch-size', type=int, default=16, help='default: 16')
    parser.add_argument('--size', type=int, default=225, help='side of the images; default: 225')
    parser.add_argument('--steps', type=int, default=5, help='default: 5, of which the fastest counts')
    parser.add_argument('--threads', type=int, default=2)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    keep_freed_memory()  # as tools/train.py does
    shared = MODELS.build(Config.fromfile(osp.join(CONFIGS, BACKBONES['mobilenet'])).model).train()
    shared.load_state_dict(build_model('mobilenet', pretrained=False).state_dict())
    shared.to(memory_format=torch.channels_last)
    images = torch.randn(args.batch_size, 3, args.size, args.size)
    classes = shared.spotlight.head.num_classes
    samples = [DataSample().set_gt_label(torch.tensor([index % classes])) for index in range(args.batch_size)]
    separate = measure(separate_branches(shared), images, samples, args.steps)
    ours = measure(shared, images, samples, args.steps)

    difference = max(float((separate.gradients[name] - one).abs().max()) for name, one in ours.gradients.items())
    print(f'{args.batch_size} images of {args.size}x{args.size}, MobileNetV2, two branches, {args.threads} threads')
    for name, row in {'separate layers': separate, 'shared layers': ours}.items():
        print(
            f'{name:16s} {row.clock:6.3f} s  {row.cores:6.3f} core seconds a step  '
            f'{separate.clock / row.clock:5.2f}x by the clock  {separate.cores / row.cores:5.2f}x by the cores'
        )
    print(f'largest difference of {len(ours.gradients)} gradients: {difference:.1e}')


if __name__ == '__main__':
    main()
