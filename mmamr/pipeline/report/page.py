"""The report as one HTML page."""

import base64
import io
import os.path as osp
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from .charts import Line, bar_chart, best_index, line_chart, swatch
from .scores import title as row_title
from .tables import class_table, duration, label, score_table, stage_facts, stage_table, summary, versions
from .work_folder import StageFiles

SHOWN = 3
"""Images of a gallery that are seen without a click."""


@dataclass
class Picture:
    """A picture inside the page.

    Args:
        caption (str): Stands below it.
        alt (str): For those who cannot see it.
        uri (str): ``data:image/jpeg;base64,…``.
        width (int): In pixels.
        height (int): In pixels.
    """

    caption: str
    alt: str
    uri: str
    width: int
    height: int

    @classmethod
    def from_array(cls, picture: np.ndarray, caption: str, alt: str, side: int = 400) -> 'Picture':
        """From RGB uint8 ``(H, W, 3)``; the longer side becomes ``side`` pixels at most."""
        image = Image.fromarray(np.ascontiguousarray(picture))
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, format='JPEG', quality=82)
        uri = 'data:image/jpeg;base64,' + base64.b64encode(buffer.getvalue()).decode('ascii')
        return cls(caption, alt, uri, image.width, image.height)


@dataclass
class PictureRow:
    """The pictures of one image.

    Args:
        title (str): Its id.
        pictures (list[Picture]): From left to right.
        legend (dict[str, Sequence[int]]): RGB colour of each class. Defaults to an empty one.
    """

    title: str
    pictures: list[Picture]
    legend: dict[str, Sequence[int]] = field(default_factory=dict)


@dataclass
class Gallery:
    """Pictures of some images.

    Args:
        title (str): Of which images.
        text (str): What is to be seen.
        rows (list[PictureRow]): One an image.
        note (str): Why there are none. Defaults to ''.
    """

    title: str
    text: str
    rows: list[PictureRow] = field(default_factory=list)
    note: str = ''


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
    )


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
