"""What the report says in words and tables, as texts that the page only has to lay out."""

from collections.abc import Sequence
from typing import Any

from .scores import headline, title
from .work_folder import StageFiles

Table = tuple[list[str], list[list[str]]]
"""Head and rows."""
NONE = '–'


def summary(stages: Sequence[StageFiles]) -> str:
    """The outcome in one line: mIoU of the segmentation model, or of the last stage where there is none yet."""
    done = [stage for stage in stages if stage.done]
    measured = [stage for stage in done if headline(stage.scores)]
    parts = []
    if measured:
        # a pipeline may compare other labels after its model
        models = [stage for stage in measured if stage.loop == 'TestLoop' or stage.validates]
        last = (models or measured)[-1]
        images = f' on {last.images} images' if last.images and not last.validates else ''
        parts.append(f'mIoU {percent(best_of(last))} % after stage {last.name}{images}')
    parts.append(f'{len(done)} of {len(stages)} stages done')
    parts.append(duration(sum(stage.record.get('seconds') or 0 for stage in stages)))
    return ', '.join(parts)


def stage_table(stages: Sequence[StageFiles]) -> Table:
    """One row a stage."""
    gpu = any((stage.record.get('peak_memory_mib') or {}).get('gpu') for stage in stages)
    measured = any(stage.scores for stage in stages)
    head = [
        'stage',
        *(['mIoU (%)'] if measured else []),
        'time',
        'state',
        *(['GPU memory'] if gpu else []),
        'memory',
        'images',
        'processes',
    ]
    rows = []
    for stage in stages:
        memory = stage.record.get('peak_memory_mib') or {}
        rows.append(
            [
                stage.name,
                *([percent(best_of(stage))] if measured else []),
                duration(stage.record['seconds']) if 'seconds' in stage.record else NONE,
                stage.state,
                *([mebibytes(memory.get('gpu'))] if gpu else []),
                mebibytes(memory.get('cpu')),
                text(stage.images),
                text(stage.record.get('processes')),
            ]
        )
    return head, rows


def score_table(stages: Sequence[StageFiles]) -> Table:
    """One row for everything that has an mIoU."""
    head = ['stage', 'mIoU (%)', 'threshold', 'best mIoU (%)', 'threshold', 'labelled (%)', 'images']
    rows = []
    for stage in stages:
        for score in stage.scores:
            rows.append(
                [
                    label(stage, score.what),
                    percent(score.miou),
                    text(score.threshold),
                    percent(score.best),
                    text(score.best_threshold),
                    percent(score.coverage),
                    NONE if stage.validates else text(stage.images),
                ]
            )
    return head, rows


def class_table(stages: Sequence[StageFiles]) -> Table:
    """One row a class, one column for everything that has the IoU of each; of weighted CAMs only ξ = 0.5."""
    columns: dict[str, dict[str, float | None]] = {}
    for stage in stages:
        for name, row in stage.rows.items():
            if '(xi=' not in name:
                columns[label(stage, title(stage.name, name))] = dict(zip(row['classes'], row['iou']))
    classes = list(dict.fromkeys(name for column in columns.values() for name in column))
    rows = [[name, *(percent(column.get(name)) for column in columns.values())] for name in classes]
    if rows:
        known = [[value for value in column.values() if value is not None] for column in columns.values()]
        rows.append(['mean', *(percent(sum(values) / len(values) if values else None) for values in known)])
    return ['class', *columns], rows


def stage_facts(stage: StageFiles) -> list[tuple[str, str]]:
    """What was run, by name."""
    record = stage.record
    facts = [
        ('config', record.get('config')),
        ('config hash', record.get('config_hash')),
        ('seed', record.get('seed')),
        ('started', record.get('started')),
        ('attempts', record.get('attempts')),
        ('error', record.get('error')),
    ]
    facts += [(f'reads {name}', count(one)) for name, one in record.get('inputs', {}).items()]
    facts += [(f'writes {name}', count(one)) for name, one in record.get('outputs', {}).items()]
    metrics = [(name, f'{value:.4g}') for name, value in (record.get('metrics') or {}).items()]
    return [(name, str(value)) for name, value in facts if value not in (None, '')] + metrics


def versions(stages: Sequence[StageFiles]) -> list[tuple[str, str]]:
    """Version of each package; several where stages ran under different ones."""
    found: dict[str, list[str]] = {}
    for stage in stages:
        for name, version in (stage.record.get('versions') or {}).items():
            known = found.setdefault(name, [])
            if version not in known:
                known.append(version)
    return [(name, ', '.join(known)) for name, known in found.items()]


def label(stage: StageFiles, what: str) -> str:
    """What a stage measured, in one text."""
    what = what or ('validation' if stage.validates else '')
    return f'{stage.name}: {what}' if what else stage.name


def best_of(stage: StageFiles) -> float | None:
    """The mIoU that stands for a stage: that of its best threshold where it has several."""
    score = headline(stage.scores)
    return None if score is None else score.miou if score.best is None else score.best


def percent(value: float | None) -> str:
    return NONE if value is None else f'{value:.1f}'


def text(value: Any) -> str:
    return NONE if value is None else f'{value:.3g}' if isinstance(value, float) else str(value)


def mebibytes(value: float | None) -> str:
    return f'{value:,} MiB' if value else NONE


def count(fingerprint: dict[str, Any]) -> str:
    place = fingerprint.get('path') or 'drawn by the data set'
    return f'{place} ({fingerprint.get("count")} {fingerprint.get("unit", "files")})'


def duration(seconds: float) -> str:
    """A time in its two largest units."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f'{hours} h {minutes} min'
    return f'{minutes} min {seconds} s' if minutes else f'{seconds} s'
