"""The report as one HTML page."""

import base64
import hashlib
import os.path as osp
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .charts import Line, bar_chart, best_index, line_chart, swatch
from .pictures import Gallery, PictureRow
from .scores import title as row_title
from .tables import class_table, duration, label, score_table, stage_facts, stage_table, summary, versions
from .work_folder import StageFiles

SHOWN = 3
"""Photos of a gallery that are seen without a click."""


@dataclass
class Chart:
    """A chart with its caption and the names of its lines; none for bars."""

    caption: str
    svg: Markup
    legend: list[str] = field(default_factory=list)


def render_page(
    title: str, date: str, pipeline: str | None, stages: Sequence[StageFiles], galleries: Sequence[Gallery] = ()
) -> str:
    """The report; it refers to no other file, and all that comes from files is escaped.

    Args:
        title (str): Of the pipeline.
        date (str): When the report was made.
        pipeline (str, optional): Config file of the pipeline; None where it is not known.
        stages (Sequence[StageFiles]): The stages in order.
        galleries (Sequence[Gallery]): Pictures. Defaults to none.

    Returns:
        str: HTML.
    """
    classes = class_counts(galleries)
    numbers = {name: str(number) for number, name in enumerate(classes)}
    script = Markup(_read('page.js'))
    environment = Environment(
        loader=FileSystemLoader(osp.dirname(__file__)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template('page.html').render(
        title=title,
        date=date,
        pipeline=pipeline,
        summary=summary(stages),
        stages=stages,
        failures=[stage for stage in stages if stage.record.get('error')],
        stage_table=stage_table(stages),
        score_table=score_table(stages),
        class_table=class_table(stages),
        time=time_chart(stages),
        curves=threshold_charts(stages),
        losses=loss_charts(stages),
        galleries=galleries,
        versions=versions(stages),
        stage_facts=stage_facts,
        options=options,
        swatch=lambda index: Markup(swatch(index)),
        breakable=breakable,
        shown=SHOWN,
        classes=classes,
        class_numbers=lambda row: ' '.join(numbers[name] for name in row.legend),
        css=Markup(_read('page.css')),
        script=script,
        policy=content_policy(script),
    )


def class_counts(galleries: Sequence[Gallery]) -> dict[str, int]:
    """How many photos show a class or are said to, by its name in alphabetical order."""
    rows: list[PictureRow] = [row for gallery in galleries for row in gallery.rows]
    return dict(sorted(Counter(name for row in rows for name in row.legend).items()))


def content_policy(script: str) -> str:
    """What a browser may do with the page: show what is in it, and run its own script."""
    digest = base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode('ascii')
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def _read(name: str) -> str:
    with open(osp.join(osp.dirname(__file__), name), encoding='utf-8') as file:
        return file.read()


def time_chart(stages: Sequence[StageFiles]) -> Chart | None:
    """Time a stage."""
    seconds = {stage.name: stage.record['seconds'] for stage in stages if stage.record.get('seconds')}
    if not seconds:
        return None
    texts = {name: duration(value) for name, value in seconds.items()}
    told = ', '.join(f'{name} {value}' for name, value in texts.items())
    return Chart('Time a stage', Markup(bar_chart(seconds, texts, f'Bars of the time a stage: {told}')))


def threshold_charts(stages: Sequence[StageFiles]) -> list[Chart]:
    """mIoU against background threshold, and where the background walked along against its power."""
    lines: dict[str, list[Line]] = {'background threshold': [], 'power of the background': []}
    for stage in stages:
        for name, row in stage.rows.items():
            if len(row.get('thresholds', ())) > 1 and '(xi=' not in name:
                thresholds = row['thresholds']
                kind = 'background threshold' if thresholds[0] < thresholds[-1] else 'power of the background'
                lines[kind].append(Line(label(stage, row_title(stage.name, name)), thresholds, row['miou']))
    return [
        Chart(
            f'mIoU against {kind}; a circle marks the best',
            Markup(line_chart(found, f'mIoU against {kind}. {best_points(found)}', kind, 'mIoU (%)', mark_best=True)),
            [line.name for line in found],
        )
        for kind, found in lines.items()
        if found
    ]


def best_points(lines: Sequence[Line]) -> str:
    """The best point of each line in words."""
    best = [best_index(line.y) for line in lines]
    return '; '.join(f'{line.name}: best {line.y[at]:.1f} at {line.x[at]:.3g}' for line, at in zip(lines, best))


def loss_charts(stages: Sequence[StageFiles]) -> list[Chart]:
    """The losses of each training; logarithmic where its terms lie more than a power of ten apart."""
    charts = []
    for stage in stages:
        lines = [Line(name, *curve) for name, curve in stage.losses.items()]
        values = [value for line in lines for value in line.y]
        if not lines:
            continue
        log = min(values) > 0 and max(values) > 10 * min(values)
        told = '; '.join(f'{line.name} from {line.y[0]:.3g} to {line.y[-1]:.3g}' for line in lines)
        charts.append(
            Chart(
                f'{stage.name}: losses' + (', logarithmic' if log else ''),
                Markup(line_chart(lines, f'Losses of {stage.name}. {told}', 'iteration', 'loss', log)),
                [line.name for line in lines],
            )
        )
    return charts


def options(values: dict[str, Any]) -> str:
    """Settings as text, one a line."""
    return '\n'.join(f'{key} = {value}' for key, value in values.items())


def breakable(text: str) -> Markup:
    """A heading that may go on in a new line after an underscore, so that a table with many columns stays narrow."""
    return Markup('_<wbr>').join(text.split('_'))
