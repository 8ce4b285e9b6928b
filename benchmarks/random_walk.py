"""Time the sparse random walk against the dense form of it that IRNet published, on one and the same input.

The dense form writes the whole (h w) x (h w) transition matrix and squares it ``exp_times`` times. At the default size,
a 375 x 500 photo at stride 4, that takes minutes and 1.7 GB; ``--size 32 42`` gives a first impression in a second.

    python benchmarks/random_walk.py
    python benchmarks/random_walk.py --size 32 42
"""
import argparse
import multiprocessing
import resource
import time
from typing import Callable

import torch
from torch import Tensor

from mmamr.refine import displacements, path, random_walk


def dense_random_walk(cam: Tensor, edge: Tensor, radius: int, beta: float, exp_times: int) -> Tensor:
    """The walk as a power of a dense matrix, by repeated squaring."""
    height, width = edge.shape
    affinity = torch.eye(height * width, dtype=edge.dtype)
    pixel = torch.arange(height * width).view(height, width)
    for dy, dx in displacements(radius):
        left, right = max(0, -dx), min(width, width - dx)
        if dy >= height or left >= right:
            continue
        way = torch.stack([edge[y:height - dy + y, left + x:right + x] for y, x in path(dy, dx)])
        source, target = pixel[:height - dy, left:right], pixel[dy:, left + dx:right + dx]
        affinity[source, target] = affinity[target, source] = 1 - way.amax(0)
    transition = affinity**beta
    transition /= transition.sum(0, keepdim=True)
    for _ in range(exp_times):
        transition = transition @ transition
    return ((cam * (1 - edge)).flatten(1) @ transition).view(cam.shape)


def measure(walk: Callable, cam: Tensor, edge: Tensor, args: argparse.Namespace, repeats: int, results) -> None:
    """Put the result, the median seconds and the memory in MB that the walk added at its peak into ``results``."""
    torch.set_num_threads(args.threads)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        out = walk(cam, edge, args.radius, args.beta, args.exp_times)
        seconds.append(time.perf_counter() - start)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    results.put((out.numpy(), sorted(seconds)[repeats // 2], memory))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--size', type=int, nargs=2, default=(94, 125), metavar=('H', 'W'), help='size of the map')
    parser.add_argument('--channels', type=int, default=2, help='channels of the CAM')
    parser.add_argument('--radius', type=int, default=5)
    parser.add_argument('--beta', type=float, default=10)
    parser.add_argument('--exp-times', type=int, default=8, help='2**exp_times steps')
    parser.add_argument('--dtype', choices=('float32', 'float64'), default='float32')
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--repeats', type=int, default=11, help='of the sparse walk, whose median is shown')
    args = parser.parse_args()

    generator = torch.Generator().manual_seed(0)
    dtype = getattr(torch, args.dtype)
    cam = torch.rand(args.channels, *args.size, generator=generator, dtype=dtype)
    edge = torch.rand(*args.size, generator=generator, dtype=dtype)**3

    # Each in a process of its own, so that the peak of one does not hide that of the other.
    spawn = multiprocessing.get_context('spawn')
    found = {}
    for name, walk, repeats in (('sparse', random_walk, args.repeats), ('dense', dense_random_walk, 1)):
        results = spawn.Queue()
        process = spawn.Process(target=measure, args=(walk, cam, edge, args, repeats, results))
        process.start()
        found[name] = results.get()
        process.join()
        print(f'{name:>6}: {found[name][1]:9.3f} s, {found[name][2]:7.0f} MB', flush=True)
    difference = abs(found['sparse'][0] - found['dense'][0]).max()
    print(f'{args.size[0]}x{args.size[1]}, {args.channels} channels, {args.dtype}, {args.threads} threads: '
          f"{found['dense'][1] / found['sparse'][1]:.0f} times faster, largest difference {difference:.1e}")


if __name__ == '__main__':
    main()
