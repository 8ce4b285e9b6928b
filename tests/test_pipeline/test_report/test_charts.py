import re
from xml.etree import ElementTree

import pytest

from mmamr.pipeline.report.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Line,
    bar_chart,
    line_chart,
    log_ticks,
    number,
    swatch,
    ticks,
)


def find(svg, tag, **attributes):
    wanted = [element for element in ElementTree.fromstring(svg).iter(tag)]
    return [one for one in wanted if all(one.get(key) == value for key, value in attributes.items())]


def points(svg, index=0):
    return [tuple(map(float, point.split(','))) for point in find(svg, 'polyline')[index].get('points').split()]


def test_points_are_at_their_places():
    svg = line_chart([Line('a', [0, 5, 10], [0, 25, 100])], 'about', 'x', 'y')
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    assert points(svg) == [
        (LEFT, bottom),
        ((LEFT + right) / 2, pytest.approx(bottom - (bottom - TOP) / 4, abs=0.1)),
        (right, TOP),
    ]
    texts = [text.text for text in find(svg, 'text')]
    numbers = [*range(0, 101, 20), *range(0, 11, 2)]
    assert texts == [*map(str, numbers), 'x', 'y']


def test_the_vertical_axis_starts_at_zero_or_below():
    assert points(line_chart([Line('a', [1, 2], [50, 60])], '', '', ''))[0][1] < HEIGHT - BOTTOM - 100
    heights = [y for _, y in points(line_chart([Line('a', [1, 2, 3], [-1, 0, 1])], '', '', ''))]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.2)


def test_a_logarithmic_axis():
    heights = [y for _, y in points(line_chart([Line('a', [1, 2, 3], [0.01, 0.1, 1])], '', '', '', log=True))]
    assert heights == [HEIGHT - BOTTOM, pytest.approx((TOP + HEIGHT - BOTTOM) / 2, abs=0.1), TOP]


def test_lines_differ_and_the_best_is_marked():
    lines = [Line(str(n), [1, 2, 3], [n, 3 * n, 2 * n]) for n in range(1, 10)]
    svg = line_chart(lines, '', '', '', mark_best=True)
    classes = [line.get('class') for line in find(svg, 'polyline')]
    assert classes[:8] == [f'line s{n}' for n in range(8)] and classes[8] == 'line s0'
    circles = [(float(one.get('cx')), float(one.get('cy'))) for one in find(svg, 'circle')]
    assert circles == [points(svg, n)[1] for n in range(9)]
    assert not find(line_chart(lines, '', '', ''), 'circle')
    assert 'class="line s1"' in swatch(9)


def test_one_point_and_equal_values():
    svg = line_chart([Line('a', [7], [0])], '', '', '')
    assert len(find(svg, 'circle')) == 1
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points(svg))
    assert line_chart([Line('a', [7, 8], [1, 1])], '', '', '', log=True)


def test_bars():
    svg = bar_chart(
        {'long': 60.0, 'short': 15.0, 'a name that is far too long': 0.0},
        {'long': '1 min', 'short': '15 s', 'a name that is far too long': '0 s'},
        'about',
    )
    widths = [float(bar.get('width')) for bar in find(svg, 'rect')]
    assert widths[0] == pytest.approx(4 * widths[1], abs=0.2) and widths[2] == 0
    texts = [text.text for text in find(svg, 'text')]
    assert texts == ['long', '1 min', 'short', '15 s', 'a name that is fa…', '0 s']
    assert bar_chart({}, {}, 'nothing')


def test_texts_are_escaped():
    evil = '<script>"&\''
    for svg in (line_chart([Line(evil, [1], [1])], evil, evil, evil), bar_chart({evil: 1}, {evil: evil}, evil)):
        assert '<script' not in svg
        root = ElementTree.fromstring(svg)
        assert root.get('aria-label') == root.find('title').text == evil


@pytest.mark.parametrize(
    ('low', 'high', 'expected'),
    [
        (0, 46.2, [0, 10, 20, 30, 40, 50]),
        (0.01, 0.99, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (25, 400, [0, 100, 200, 300, 400]),
        (-1, 2, [-1, 0, 1, 2]),
        (0, 0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


def test_numbers():
    assert log_ticks(0.012, 1.2) == pytest.approx([0.01, 0.1, 1, 10]) and log_ticks(1, 1) == [1, 10]
    assert [number(value) for value in (0.2, 5000.0, 20000.0)] == ['0.2', '5000', '20k']
    assert not re.search('e', number(0.0001))
