"""The losses of a training, from what mmengine logged in one folder a start."""

import json
import math
import os
import os.path as osp

Curve = tuple[list[int], list[float]]
MOST_POINTS = 400
"""So many points of a curve are drawn at most; a phone has no more pixels."""


def read_losses(folder: str) -> dict[str, Curve]:
    """Every logged loss of a training: steps and values by name, ``loss``, the sum, first.

    Each start of a training logs to a folder of its own, named by the time. A training that resumes repeats the steps
    after its checkpoint, so the log of a later start takes the place of an earlier one from its first step on.

    Args:
        folder (str): Work folder of the training.

    Returns:
        dict[str, tuple[list[int], list[float]]]: Steps, ascending, and values by name; empty without a log. Where the
        sum has one term only, it is alone.
    """
    by_step: dict[int, dict[str, float]] = {}
    for start in sorted(os.listdir(folder)) if osp.isdir(folder) else ():
        records = read_scalars(osp.join(folder, start, 'vis_data', 'scalars.json'))
        if records:
            first = min(records)
            by_step = {**{step: values for step, values in by_step.items() if step < first}, **records}
    curves: dict[str, Curve] = {}
    for step in sorted(by_step):
        for name, value in by_step[step].items():
            steps, values = curves.setdefault(name, ([], []))
            steps.append(step)
            values.append(value)
    names = sorted(curves, key=lambda name: name != 'loss')
    if len(names) == 2:
        names = names[:1]
    return {name: thin(curves[name]) for name in names}


def read_scalars(path: str) -> dict[int, dict[str, float]]:
    """Losses by step of one ``scalars.json``: one JSON record a line, the last perhaps cut short by a kill."""
    records: dict[int, dict[str, float]] = {}
    try:
        with open(path, encoding='utf-8') as file:
            lines = file.read().splitlines()
    except OSError:
        return records
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if not isinstance(record, dict):
            continue
        losses = {
            name: float(value)
            for name, value in record.items()
            if name.rpartition('.')[2].startswith('loss') and isinstance(value, (int, float)) and math.isfinite(value)
        }
        if losses and isinstance(record.get('step'), int):
            records[record['step']] = losses
    return records


def thin(curve: Curve) -> Curve:
    """Every n-th point of a curve, and the last, so that no more than :data:`MOST_POINTS` are left."""
    steps, values = curve
    last = len(steps) - 1
    stride = max(-(-last // (MOST_POINTS - 1)), 1)
    kept = sorted({*range(0, last, stride), last})
    return [steps[index] for index in kept], [values[index] for index in kept]
