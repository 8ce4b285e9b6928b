"""The table of an experiment: Markdown, CSV and a plot."""

import csv
import io
import os.path as osp
from collections.abc import Mapping, Sequence

import numpy as np

from mmamr.utils import atomic_write


class Table:
    """Rows of numbers, several seeds each.

    Args:
        title (str): What is measured, and on what.
        seeds (Sequence[int]): The seeds.
        rows (Sequence[Mapping]): Each with ``name``, ``values`` (column to one number a seed) and optionally ``paper``,
            the paper's number.
    """

    def __init__(self, title: str, seeds: Sequence[int], rows: Sequence[Mapping]) -> None:
        self.title = title
        self.seeds = list(seeds)
        self.rows = list(rows)
        self.columns = list(dict.fromkeys(column for row in rows for column in row['values']))

    def markdown(self) -> str:
        """Mean and spread of each row, as a Markdown table."""
        paper = any(row.get('paper') is not None for row in self.rows)
        head = ['', *self.columns, 'seeds', *(['paper (VOC 2012 train)'] if paper else [])]
        lines = [head, ['---'] * len(head)]
        for row in self.rows:
            cells = [format_cell(column, row['values'].get(column)) for column in self.columns]
            lines.append([row['name'], *cells, str(len(self.seeds))])
            if paper:
                lines[-1].append('' if row.get('paper') is None else f'{row["paper"]:.1f}')
        return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)

    def csv(self) -> str:
        """Every number of every seed, as CSV."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(['row', *(f'{column} seed {seed}' for column in self.columns for seed in self.seeds)])
        for row in self.rows:
            numbers = [row['values'].get(column, [None] * len(self.seeds)) for column in self.columns]
            writer.writerow(
                [row['name'], *('' if value is None else f'{value:.3f}' for values in numbers for value in values)]
            )
        return text.getvalue()

    def write(self, folder: str, name: str) -> None:
        """Write ``<name>.md``, ``<name>.csv`` and ``<name>.png`` into a folder."""
        contents = (('md', f'{self.title}\n\n{self.markdown()}\n'), ('csv', self.csv()))
        for suffix, content in contents:
            with atomic_write(osp.join(folder, f'{name}.{suffix}'), 'w', encoding='utf-8') as file:
                file.write(content)
        self.plot(osp.join(folder, f'{name}.png'))

    def plot(self, path: str) -> None:
        """Draw the table: one point a seed, a bar at the mean."""
        from matplotlib.figure import Figure

        columns = [column for column in self.columns if column.endswith('mIoU')]
        figure = Figure(figsize=(4 * max(len(columns), 2), 1.2 + 0.5 * len(self.rows)), layout='constrained')
        axes = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
        for axis, column in zip(axes, columns):
            for place, row in enumerate(self.rows):
                values: list[float] = row['values'].get(column, [])
                axis.plot(values, [place] * len(values), 'o', color='tab:blue', alpha=0.6)
                if values:
                    axis.plot([np.mean(values)], [place], '|', color='black', markersize=18)
            axis.set_title(f'{column} (%)')
            axis.grid(axis='x', alpha=0.3)
        axes[0].set_yticks(range(len(self.rows)), [row['name'] for row in self.rows])
        axes[0].invert_yaxis()
        with atomic_write(path) as file:
            figure.savefig(file, format='png', dpi=150)


def format_cell(column: str, values: Sequence[float] | None) -> str:
    """Mean ± standard deviation over seeds (with n - 1) of an mIoU, the mean of anything else, empty where there is no
    number. One seed has no spread."""
    if values is None:
        return ''
    if not column.endswith('mIoU'):
        return f'{np.mean(values):.2f}'
    mean = f'{np.mean(values):.1f}'
    return mean if len(values) == 1 else f'{mean} ± {np.std(values, ddof=1):.1f}'


def collect(rows: Sequence[Mapping], measured: Mapping) -> list[dict]:
    """Rows of a table from what each seed measured.

    Args:
        rows (Sequence[Mapping]): Rows of the experiment config.
        measured (Mapping): Row name to one dict of columns a seed.
    """
    return [
        dict(
            row,
            values={
                column: [numbers[column] for numbers in measured[row['name']]] for column in measured[row['name']][0]
            },
        )
        for row in rows
    ]
