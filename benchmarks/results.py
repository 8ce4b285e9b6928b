"""What the benchmarks of this folder have in common: how they measure, and how they write their tables."""

import argparse
import csv
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmamr.utils import atomic_write


def add_csv_option(parser: argparse.ArgumentParser) -> None:
    """``--csv FILE``: where the rows go that docs/results/benchmarks.md shows."""
    parser.add_argument('--csv', metavar='FILE', help='write the table here as well')


def write_rows(path: str | None, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of the same columns as CSV, whole; nothing without a path."""
    if path is None:
        return
    with atomic_write(path, 'w', encoding='utf-8') as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)


def in_turns(forms: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """Seconds of processor time of each form in each round: all of them in turn, so that load reaches all alike."""
    times: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(repeats):
        for name, run in forms.items():
            start = time.process_time()
            run()
            times[name].append(time.process_time() - start)
    return times


def middle(values: Sequence[float]) -> float:
    """The median; of an even number the lower one."""
    return sorted(values)[(len(values) - 1) // 2]
