"""Charts as inline SVG: no script, no font, no file beside them.

A chart is as wide as the place that it is put in, so one is drawn for the width of a phone and several stand side by
side on a wide screen. Colours are left to the page: line ``n`` has the classes ``line`` and ``s<n>``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 360, 230
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 38
COLOURS = 8
"""How many kinds of lines the page tells apart."""


@dataclass
class Line:
    """One line of a chart.

    Args:
        name (str): For the legend.
        x (Sequence[float]): Positions; one at least.
        y (Sequence[float]): Finite values, as many.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]


def line_chart(
    lines: Sequence[Line], description: str, x_label: str, y_label: str, log: bool = False, mark_best: bool = False
) -> str:
    """Lines over a common axis.

    Args:
        lines (Sequence[Line]): One at least; from the ninth on the looks repeat.
        description (str): For those who cannot see the chart.
        x_label (str): Below the horizontal axis.
        y_label (str): Beside the vertical axis.
        log (bool): Whether the vertical axis is logarithmic; all values must be positive. Defaults to False: linear and
            from 0, or from the least value where that is negative.
        mark_best (bool): Whether each line has a circle at its largest value. Defaults to False.

    Returns:
        str: An ``<svg>`` element.
    """
    axes = Axes.around(lines, log)
    parts = [axes.draw(), _label(x_label, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 5)]
    parts.append(_label(y_label, 11, (TOP + HEIGHT - BOTTOM) / 2, turned=True))
    for index, line in enumerate(lines):
        points = [axes.place(x, y) for x, y in zip(line.x, line.y)]
        path = ' '.join(f'{x:g},{y:g}' for x, y in points)
        parts.append(f'<polyline class="line s{index % COLOURS}" points="{path}"/>')
        if mark_best or len(points) == 1:
            x, y = points[best_index(line.y)]
            parts.append(f'<circle class="dot s{index % COLOURS}" cx="{x:g}" cy="{y:g}" r="3.5"/>')
    return _svg(HEIGHT, description, parts)


@dataclass
class Axes:
    """The part of the plane that a chart shows.

    Args:
        left (float): First position.
        right (float): Last position.
        low (float): Least value.
        high (float): Largest value.
        log (bool): Whether values are drawn by their logarithms.
    """

    left: float
    right: float
    low: float
    high: float
    log: bool

    @classmethod
    def around(cls, lines: Sequence[Line], log: bool) -> 'Axes':
        """Axes that all points of some lines fit into, from tick to tick."""
        xs = [x for line in lines for x in line.x]
        ys = [y for line in lines for y in line.y]
        values = log_ticks(min(ys), max(ys)) if log else ticks(min(0, *ys), max(0, *ys))
        left, right = min(xs), max(xs)
        return cls(left, right if right > left else left + 1, values[0], values[-1], log)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies in the picture."""
        scale = math.log10 if self.log else float
        across = (x - self.left) / (self.right - self.left)
        up = (scale(y) - scale(self.low)) / (scale(self.high) - scale(self.low))
        return (
            round(LEFT + across * (WIDTH - LEFT - RIGHT), 1),
            round(HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM), 1),
        )

    def draw(self) -> str:
        """Grid lines and ticks with their numbers."""
        parts = []
        for tick in log_ticks(self.low, self.high) if self.log else ticks(self.low, self.high):
            y = self.place(self.left, tick)[1]
            parts.append(
                f'<path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>'
                f'<text x="{LEFT - 5}" y="{y + 4}" text-anchor="end">{number(tick)}</text>'
            )
        for tick in ticks(self.left, self.right):
            if self.left <= tick <= self.right:
                x, y = self.place(tick, self.low)
                parts.append(
                    f'<path class="grid" d="M{x} {y}v4"/>'
                    f'<text x="{x}" y="{y + 16}" text-anchor="middle">{number(tick)}</text>'
                )
        return ''.join(parts)


def bar_chart(values: Mapping[str, float], labels: Mapping[str, str], description: str) -> str:
    """Horizontal bars, one below the other.

    Args:
        values (Mapping[str, float]): Length of each bar by name, from 0.
        labels (Mapping[str, str]): What stands behind each bar, by name.
        description (str): For those who cannot see the chart.

    Returns:
        str: An ``<svg>`` element.
    """
    step, start, end = 24, 118, WIDTH - 74
    longest = max([*values.values(), 0]) or 1
    parts = []
    for index, (name, value) in enumerate(values.items()):
        y = index * step
        parts.append(
            f'<text x="{start - 6}" y="{y + 16}" text-anchor="end">{escape(shorten(name))}</text>'
            f'<rect class="bar" x="{start}" y="{y + 4}" width="{(end - start) * value / longest:.1f}" '
            f'height="{step - 8}"/>'
            f'<text x="{start + (end - start) * value / longest + 5:.1f}" y="{y + 16}">'
            f'{escape(labels[name])}</text>'
        )
    return _svg(max(len(values), 1) * step, description, parts)


def shorten(name: str, most: int = 18) -> str:
    """A name that fits beside its bar."""
    return name if len(name) <= most else name[: most - 1] + '…'


def swatch(index: int) -> str:
    """A sample of line ``index`` for a legend."""
    return (
        f'<svg class="swatch" viewBox="0 0 28 10" aria-hidden="true"><path class="line s{index % COLOURS}" '
        'd="M1 5H27"/></svg>'
    )


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from ``low`` or just below it to ``high`` or just above it, about ``count`` steps apart."""
    if high <= low:
        high = low + 1
    raw = (high - low) / count
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten that enclose the positive numbers ``low`` to ``high``."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def number(value: float) -> str:
    """A number as short as an axis needs it."""
    if abs(value) >= 10000:
        return f'{value / 1000:g}k'
    return f'{value:g}'


def best_index(values: Sequence[float]) -> int:
    """Where the first of the largest values stands."""
    return max(range(len(values)), key=values.__getitem__)


def _label(text: str, x: float, y: float, turned: bool = False) -> str:
    rotation = ' rotate(-90)' if turned else ''
    return f'<text transform="translate({x:g} {y:g}){rotation}" text-anchor="middle">{escape(text)}</text>'


def _svg(height: int, description: str, parts: Sequence[str]) -> str:
    text = escape(description)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{text}"><title>{text}</title>'
        f'{"".join(parts)}</svg>'
    )
