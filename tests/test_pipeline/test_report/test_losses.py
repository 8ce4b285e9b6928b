import json

import pytest

from mmamr.pipeline.report.losses import MOST_POINTS, read_losses


@pytest.fixture
def write(tmp_path):

    def write(start, steps, tail='', **losses):
        path = tmp_path / start / 'vis_data' / 'scalars.json'
        path.parent.mkdir(parents=True)
        lines = [
            json.dumps(dict({name: value + step for name, value in losses.items()}, lr=0.1, step=step))
            for step in steps
        ]
        path.write_text('\n'.join(lines) + tail)

    write.folder = str(tmp_path)
    return write


def test_a_resumed_training_is_one_curve(write):
    write('20260101_000000', [10, 20, 30, 40], loss=0.5, loss_a=0.25, **{'decode.loss_b': 0.25})
    write('20260101_000100', [30, 40, 50], loss=0.75, loss_a=0, **{'decode.loss_b': 0.25})
    curves = read_losses(write.folder)
    assert list(curves) == ['loss', 'loss_a', 'decode.loss_b']
    assert curves['loss'] == ([10, 20, 30, 40, 50], [10.5, 20.5, 30.75, 40.75, 50.75])


def test_a_training_that_began_again_forgets_the_first(write):
    write('20260101_000000', [10, 20, 30], loss=0.5)
    write('20260101_000100', [10, 20], loss=0.75)
    assert read_losses(write.folder) == {'loss': ([10, 20], [10.75, 20.75])}


def test_broken_lines_and_other_records_are_left_out(write):
    write(
        '20260101_000000',
        [10],
        '\n{"mIoU": 3.0, "step": 10}\n[1]\n{"loss": NaN, "step": 11}\n{"loss": 0.1, "st',
        loss=0.5,
    )
    write('20260101_000100', [], loss=1)
    assert read_losses(write.folder) == {'loss': ([10], [10.5])}
    assert read_losses(write.folder + '/nowhere') == {}


def test_a_sum_of_one_term_is_shown_once(write):
    write('20260101_000000', [1], loss=1, loss_ce=1)
    assert list(read_losses(write.folder)) == ['loss']


@pytest.mark.parametrize(
    ('logged', 'kept'),
    [
        (MOST_POINTS, MOST_POINTS),
        (MOST_POINTS + 1, MOST_POINTS // 2 + 1),
        (2 * MOST_POINTS - 1, MOST_POINTS),
        (3 * MOST_POINTS + 1, 301),
    ],
)
def test_long_curves_are_thinned(write, logged, kept):
    write('20260101_000000', range(1, 1 + logged), loss=0)
    steps, values = read_losses(write.folder)['loss']
    assert len(steps) == kept <= MOST_POINTS and steps[0] == 1 and steps[-1] == logged
    assert values == steps
