"""Read the CSV files of docs/results/data: those that an experiment writes, and those that only keep mean and spread.

An experiment (``tools/run_experiments.py``) writes one column a seed: ``row,train mIoU seed 0,train mIoU seed 1,…``.
Tables that were measured before that have ``row,train mIoU mean,train mIoU std,…,seeds``.
"""

import csv
import re
import statistics
from dataclasses import dataclass
from pathlib import Path

SEED = re.compile(r'(?P<column>.+) seed (?P<seed>\d+)')
SUMMARY = re.compile(r'(?P<column>.+) (?P<kind>mean|std)')


@dataclass(frozen=True)
class Cell:
    """A number of a table: mean and spread over seeds (None: not known)."""

    mean: float
    std: float | None
    digits: int = 1

    def __str__(self) -> str:
        text = f'{self.mean:.{self.digits}f}'
        return text if self.std is None else f'{text} ± {self.std:.{self.digits}f}'


@dataclass(frozen=True)
class Results:
    """A table of results.

    Args:
        columns (list[str]): What was measured.
        rows (dict[str, dict[str, Cell]]): Row name to its numbers by column; a number that was not measured is left
            out.
        seeds (dict[str, int]): Row name to its number of seeds.
        per_seed (bool): Whether the file has the number of each seed.
    """

    columns: list[str]
    rows: dict[str, dict[str, Cell]]
    seeds: dict[str, int]
    per_seed: bool


def digits_of(column: str) -> int:
    """Decimals that a column is shown with: one for percent, two for thresholds."""
    return 1 if column.endswith('mIoU') else 2


def number(text: str, where: str) -> float | None:
    """A cell's number; None where it is empty.

    Raises:
        ValueError: If it is not a number.
    """
    try:
        return float(text) if text else None
    except ValueError:
        raise ValueError(f'{where}: {text!r} is not a number') from None


def read_results(path: Path) -> Results:
    """Read a table of results in either form.

    Raises:
        ValueError: If the file has neither form; one line with its name.
    """
    with open(path, newline='', encoding='utf-8') as file:
        reader = csv.DictReader(file, strict=True)
        names = list(reader.fieldnames or ())
        lines = list(reader)
    if names[:1] != ['row'] or not lines:
        raise ValueError(f"{path}: the first column must be 'row', and there must be rows")
    if any(None in line or None in line.values() for line in lines):
        raise ValueError(f'{path}: a row is longer or shorter than the header')
    doubled = {line['row'] for line in lines if sum(line['row'] == other['row'] for other in lines) > 1}
    if doubled:
        raise ValueError(f'{path}: {sorted(doubled)[0]} occurs twice')
    per_seed = all(SEED.fullmatch(name) for name in names[1:])
    return read_seeds(path, names, lines) if per_seed else read_summary(path, names, lines)


def read_seeds(path: Path, names: list[str], lines: list[dict[str, str]]) -> Results:
    """The form that an experiment writes."""
    columns: dict[str, list[str]] = {}
    for name in names[1:]:
        columns.setdefault(SEED.fullmatch(name)['column'], []).append(name)
    rows: dict[str, dict[str, Cell]] = {}
    seeds: dict[str, int] = {}
    for line in lines:
        cells: dict[str, Cell] = {}
        for column, parts in columns.items():
            values = [number(line[part], f'{path}, {line["row"]}, {part}') for part in parts]
            known = [value for value in values if value is not None]
            if known:
                spread = statistics.stdev(known) if len(known) > 1 and column.endswith('mIoU') else None
                cells[column] = Cell(statistics.fmean(known), spread, digits_of(column))
                seeds[line['row']] = max(len(known), seeds.get(line['row'], 0))
        rows[line['row']] = cells
    return Results(list(columns), rows, seeds, per_seed=True)


def read_summary(path: Path, names: list[str], lines: list[dict[str, str]]) -> Results:
    """The form that keeps mean and spread only."""
    matches = [SUMMARY.fullmatch(name) for name in names[1:-1]]
    if names[-1] != 'seeds' or not matches or None in matches:
        raise ValueError(f"{path}: columns must be '… seed N', or '… mean', '… std' and at last 'seeds'")
    columns = list(dict.fromkeys(match['column'] for match in matches))
    rows: dict[str, dict[str, Cell]] = {}
    for line in lines:
        cells = {}
        for column in columns:
            mean, std = (
                number(line.get(f'{column} {kind}', ''), f'{path}, {line["row"]}, {column} {kind}')
                for kind in ('mean', 'std')
            )
            if mean is not None:
                cells[column] = Cell(mean, std, digits_of(column))
        rows[line['row']] = cells
    return Results(columns, rows, {line['row']: int(line['seeds']) for line in lines}, per_seed=False)


def read_paper(path: Path) -> dict[str, dict[str, float]]:
    """The paper's numbers: table to row to mIoU (%) on VOC 2012 train."""
    numbers: dict[str, dict[str, float]] = {}
    with open(path, newline='', encoding='utf-8') as file:
        for table, row, value in list(csv.reader(file))[1:]:
            numbers.setdefault(table, {})[row] = float(value)
    return numbers
