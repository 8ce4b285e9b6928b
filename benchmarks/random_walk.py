"""Time the sparse random walk against the dense form of it that IRNet published, on one and the same input.

The dense form writes the whole (h w) x (h w) transition matrix and squares it ``exp_times`` times. At the default size,
a 375 x 500 photo at stride 4, that takes minutes and 1.7 GB; ``--size 32 42`` gives a first impression in a second.
On a machine that does other work as well, processor time is the fairer figure.

    python benchmarks/random_walk.py
    python benchmarks/random_walk.py --size 32 42
"""

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable

import torch
from torch import Tensor

from mmamr.refine import displacements, path, random_walk


def dense_random_walk(cam: Tensor, edge: Tensor, radius: int, beta: float, exp_times: int) -> Tensor:
    """The walk as a power of a dense matrix, by repeated squaring."""
    height, width = edge.shape
    affinity = torch.eye(height * width, dtype=edge.dtype, device=edge.device)
    pixel = torch.arange(height * width, device=edge.device).view(height, width)
    for dy, dx in displacements(radius):
        left, right = max(0, -dx), min(width, width - dx)
        if dy >= height or left >= right:
            continue
        way = torch.stack([edge[y : height - dy + y, left + x : right + x] for y, x in path(dy, dx)])
        source, target = pixel[: height - dy, left:right], pixel[dy:, left + dx : right + dx]
        affinity[source, target] = affinity[target, source] = 1 - way.amax(0)
    transition = affinity**beta
    transition /= transition.sum(0, keepdim=True)
    for _ in range(exp_times):
        transition = transition @ transition
    return ((cam * (1 - edge)).flatten(1) @ transition).view(cam.shape)


def measure(walk: Callable, cam: Tensor, edge: Tensor, args: argparse.Namespace, repeats: int, results) -> None:
    """Put the result, median seconds on the clock and of all cores, and the MB added at the peak into ``results``."""
    torch.set_num_threads(args.threads)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    clock, cores = [], []
    for _ in range(repeats):
        start, busy = time.perf_counter(), time.process_time()
        out = walk(cam, edge, args.radius, args.beta, args.exp_times)
        clock.append(time.perf_counter() - start)
        cores.append(time.process_time() - busy)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    results.put((out.numpy(), sorted(clock)[repeats // 2], sorted(cores)[repeats // 2], memory))


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
    edge = torch.rand(*args.size, generator=generator, dtype=dtype) ** 3

    # Each in a process of its own, so that the peak of one does not hide that of the other.
    spawn = multiprocessing.get_context('spawn')
    found = {}
    for name, walk, repeats in (('sparse', random_walk, args.repeats), ('dense', dense_random_walk, 1)):
        results = spawn.Queue()
        process = spawn.Process(target=measure, args=(walk, cam, edge, args, repeats, results))
        process.start()
        found[name] = results.get()
        process.join()
        _, clock, cores, memory = found[name]
        print(f'{name:>6}: {clock:9.3f} s, {cores:9.3f} s of processor time, {memory:6.0f} MB', flush=True)
    difference = abs(found['sparse'][0] - found['dense'][0]).max()
    print(
        f'{args.size[0]}x{args.size[1]}, {args.channels} channels, {args.dtype}, {args.threads} threads: '
        f'{found["dense"][1] / found["sparse"][1]:.0f} times faster, '
        f'{found["dense"][2] / found["sparse"][2]:.0f} in processor time, largest difference {difference:.1e}'
    )


if __name__ == '__main__':
    main()
