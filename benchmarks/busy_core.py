"""Time training steps alone and beside another busy process: what it costs that threads wait for each other.

PyTorch's threads meet at the end of every operation. As OpenMP comes, one that waits spins, and where another process
has the core of the one that it waits for, both lose it. ``import mmamr`` before torch lets them sleep
(``mmamr.compat.let_waiting_threads_sleep``); ``--also`` compares other settings. Each form is a process of its own, and
they take turns. The clock is what counts here, so each row says how many cores other processes had meanwhile: alone is
alone only where that is nearly none.

    python benchmarks/busy_core.py
    python benchmarks/busy_core.py --also OMP_WAIT_POLICY=PASSIVE GOMP_SPINCOUNT=10000 --repeats 15
"""

import argparse
import os
import os.path as osp
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from make_cams import build_model  # the benchmark beside this one
from results import add_csv_option, middle, write_rows

from mmamr.compat import keep_freed_memory

VARIABLES = ('OMP_WAIT_POLICY', 'GOMP_SPINCOUNT', 'KMP_BLOCKTIME', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS')
BEFORE, OURS = 'OpenMP as it comes', 'import mmamr first'


class Turn(NamedTuple):
    """Seconds of a step by the clock and of processor time, and the cores that other processes had meanwhile."""

    clock: float
    cores: float
    others: float


class Form:
    """A process that trains when it is told to."""

    def __init__(self, first: str, setting: str, args: argparse.Namespace) -> None:
        env = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        name, _, value = setting.partition('=')
        script = (
            f'import {first}, sys; sys.path.insert(0, {osp.dirname(osp.abspath(__file__))!r}); import busy_core; '
            f'busy_core.work({args.batch_size}, {args.size}, {args.threads})'
        )
        self.process = subprocess.Popen(
            [sys.executable, '-c', script],
            env={**env, name: value} if name else env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.turn(1)  # makes kernels

    def turn(self, steps: int) -> Turn:
        """Do some steps."""
        assert self.process.stdin is not None and self.process.stdout is not None
        start, busy = time.perf_counter(), busy_time()
        print(steps, file=self.process.stdin, flush=True)
        clock, cores = map(float, self.process.stdout.readline().split())
        others = (busy_time() - busy - cores) / (time.perf_counter() - start)
        return Turn(clock / steps, cores / steps, max(others, 0.0))

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def busy_time() -> float:
    """Seconds of processor time that all processes of this machine have had; 0 where that is not known."""
    try:
        with open('/proc/stat') as file:
            user, nice, system, _idle, _wait, *rest = map(int, file.readline().split()[1:9])
    except OSError:
        return 0.0
    return (user + nice + system + sum(rest)) / os.sysconf('SC_CLK_TCK')


def make_step(batch_size: int, size: int, threads: int) -> Callable[[], None]:
    """A training step of a plain classifier on MobileNetV2."""
    torch.set_num_threads(threads)
    keep_freed_memory()  # as tools/train.py does
    model = build_model('mobilenet', pretrained=False).spotlight.train().requires_grad_(True)
    model.to(memory_format=torch.channels_last)
    images = torch.randn(batch_size, 3, size, size).contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)

    def step() -> None:
        optimizer.zero_grad()
        model(images).square().mean().backward()
        optimizer.step()

    return step


def work(batch_size: int, size: int, threads: int) -> None:
    """What a form's process does: as many steps as each line of its input says, and their times."""
    step = make_step(batch_size, size, threads)
    for line in sys.stdin:
        clock, cores = time.perf_counter(), time.process_time()
        for _ in range(int(line)):
            step()
        print(time.perf_counter() - clock, time.process_time() - cores, flush=True)


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Processes of one thread that never wait."""
    processes = [subprocess.Popen([sys.executable, '-c', 'while True: pass']) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def take_turns(forms: dict[str, Form], steps: int, repeats: int) -> dict[str, list[Turn]]:
    """All forms in turn, so that the load of the machine reaches all alike."""
    turns: dict[str, list[Turn]] = {name: [] for name in forms}
    for _ in range(repeats):
        for name, form in forms.items():
            turns[name].append(form.turn(steps))
    return turns


def row(what: str, name: str, own: Sequence[Turn], reference: Sequence[Turn], alone: Sequence[Turn]) -> dict[str, str]:
    """A line of the table."""
    return {
        'beside': what,
        'form': name,
        'clock a step (s)': f'{middle([turn.clock for turn in own]):.3f}',
        'processor time a step (s)': f'{middle([turn.cores for turn in own]):.3f}',
        'as fast as OpenMP as it comes': f'{middle([one.clock / two.clock for one, two in zip(reference, own)]):.2f}',
        'of its own time alone': f'{middle([turn.clock for turn in own]) / middle([turn.clock for turn in alone]):.2f}',
        'cores of all others': f'{middle([turn.others for turn in own]):.2f}',
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--batch-size', type=int, default=4, help='default: 4')
    parser.add_argument('--size', type=int, default=225, help='side of the images; default: 225')
    parser.add_argument('--steps', type=int, default=3, help='of a turn; default: 3')
    parser.add_argument('--repeats', type=int, default=9, help='turns of each form, of which the median is shown')
    parser.add_argument('--threads', type=int, default=2, help='of the training; default: 2')
    parser.add_argument('--busy', type=int, default=1, help='processes beside it; default: 1')
    parser.add_argument('--also', nargs='*', default=(), metavar='NAME=VALUE', help='environment variables to compare')
    add_csv_option(parser)
    args = parser.parse_args()

    settings = {BEFORE: ('torch', ''), OURS: ('mmamr', ''), **{setting: ('torch', setting) for setting in args.also}}
    forms: dict[str, Form] = {}
    rows = []
    try:
        for name, (first, setting) in settings.items():
            forms[name] = Form(first, setting, args)
        alone = take_turns(forms, args.steps, args.repeats)
        with busy_processes(args.busy):
            beside = take_turns(forms, args.steps, args.repeats)
    finally:
        for form in forms.values():
            form.end()
    for what, turns in (('nothing', alone), (f'{args.busy} busy', beside)):
        rows += [row(what, name, turns[name], turns[BEFORE], alone[name]) for name in forms]
    for one in rows:
        print(*(f'{key}: {value}' for key, value in one.items()), sep=', ')
    write_rows(args.csv, rows)


if __name__ == '__main__':
    main()
