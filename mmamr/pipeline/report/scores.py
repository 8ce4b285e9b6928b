"""The metrics of a stage as rows of a table."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass
class Score:
    """What one kind of CAM, label or prediction scores, in percent; None is not measured.

    Args:
        what (str): E.g. ``'spotlight'``; empty where a stage measures one thing only.
        miou (float, optional): At the fixed threshold, or of labels as they are.
        best (float, optional): At the best threshold of the sweep.
        best_threshold (float, optional): That threshold.
        threshold (float, optional): The fixed threshold.
        coverage (float, optional): Share of the pixels that have a label.
    """

    what: str
    miou: float | None = None
    best: float | None = None
    best_threshold: float | None = None
    threshold: float | None = None
    coverage: float | None = None


COLUMNS = {'mIoU': 'miou', 'best_mIoU': 'best', 'best_threshold': 'best_threshold', 'coverage': 'coverage'}


def scores_of(stage: str, metrics: Mapping[str, float], rows: Mapping[str, Mapping]) -> list[Score]:
    """Scores from metrics named ``<prefix>/<row>.<column>``, ``<prefix>/<column>`` or ``<column>``.

    Args:
        stage (str): Name of the stage.
        metrics (Mapping[str, float]): As its record in the manifest has them.
        rows (Mapping[str, Mapping]): Details of each row, of which ``threshold`` is taken.

    Returns:
        list[Score]: One for each row that has an mIoU.
    """
    found: dict[str, Score] = {}
    for name, value in metrics.items():
        prefix, _, rest = name.rpartition('/')
        row, _, column = rest.rpartition('.')
        row = row or prefix
        if column in COLUMNS:
            score = found.setdefault(row, Score(title(stage, row), threshold=rows.get(row, {}).get('threshold')))
            setattr(score, COLUMNS[column], value)
    return [score for score in found.values() if score.miou is not None or score.best is not None]


def title(stage: str, row: str) -> str:
    """A row as people call it: empty where it is the stage's own, ξ with its sign."""
    if row in ('', stage):
        return ''
    if row == 'weighted':
        return 'weighted, ξ = 0.5'
    return re.sub(r'\(xi=(.*)\)', r', ξ = \1', row)


def headline(scores: list[Score]) -> Score | None:
    """The score that stands for a stage: that of its labels or predictions, else of the weighted CAM, else the last."""
    plain = [score for score in scores if score.best is None]
    weighted = [score for score in scores if score.what == 'weighted, ξ = 0.5']
    return next(iter([*plain, *weighted, *scores[::-1]]), None)
