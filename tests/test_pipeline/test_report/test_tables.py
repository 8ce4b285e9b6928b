import pytest

from mmamr.pipeline.report.tables import (
    class_table,
    duration,
    score_table,
    stage_facts,
    stage_table,
    summary,
    versions,
)
from mmamr.pipeline.report.work_folder import read_stages


@pytest.fixture
def stages(manifest):
    return read_stages(manifest)


def test_summary(stages):
    assert summary(stages) == 'mIoU 55.0 % after stage segmentation, 4 of 5 stages done, 1 h 28 min'
    assert summary(stages[:3]) == 'mIoU 52.0 % after stage labels on 8 images, 3 of 3 stages done, 4 min 10 s'
    # the model, whatever else was measured after it
    assert summary([stages[3], *stages[:3]]).startswith('mIoU 55.0 % after stage segmentation, ')
    assert summary(stages[:1]) == '1 of 1 stages done, 1 min 23 s'
    # its metrics may have a prefix
    stages[4].record.update(state='done', metrics={'ms_flip/mIoU': 56.0})
    again = [*stages[:2], *stages[3:], stages[2]]
    assert summary(again).startswith('mIoU 56.0 % after stage evaluation on 8 images, 5 of 5 stages done')


def test_stages(stages, manifest):
    head, rows = stage_table(stages)
    assert head == ['stage', 'mIoU (%)', 'time', 'state', 'memory', 'images', 'processes']
    assert rows[:2] == [
        ['classifier', '–', '1 min 23 s', 'done', '1,234 MiB', '8', '2'],
        ['cam', '51.2', '1 min 23 s', 'done', '1,234 MiB', '8', '2'],
    ]
    assert [row[3] for row in rows] == ['done'] * 4 + ['failed']
    manifest.stages['cam']['peak_memory_mib']['gpu'] = 512
    manifest.stages.pop('evaluation')
    head, rows = stage_table(read_stages(manifest))
    assert head[4] == 'GPU memory' and rows[1][4] == '512 MiB' and rows[0][4] == '–'
    assert rows[4] == ['evaluation', '–', '–', 'not run', '–', '–', '–', '–']


def test_scores(stages):
    head, rows = score_table(stages)
    assert head == ['stage', 'mIoU (%)', 'threshold', 'best mIoU (%)', 'threshold', 'labelled (%)', 'images']
    assert rows == [
        ['cam: spotlight', '41.0', '0.1', '50.0', '0.2', '–', '8'],
        ['cam: weighted, ξ = 0.5', '42.0', '0.1', '51.2', '0.2', '–', '8'],
        ['cam: weighted, ξ = 0.1', '41.5', '0.1', '50.5', '0.3', '–', '8'],
        ['labels: walk', '43.0', '16', '53.0', '8', '–', '8'],
        ['labels', '52.0', '–', '–', '–', '97.0', '8'],
        ['segmentation: validation', '55.0', '–', '–', '–', '–', '–'],
    ]


def test_classes(stages):
    head, rows = class_table(stages)
    assert head == [
        'class',
        'cam: spotlight',
        'cam: weighted, ξ = 0.5',
        'labels: walk',
        'labels',
        'segmentation: validation',
    ]
    assert rows[0] == ['background', '80.0', '81.0', '83.0', '84.0', '85.0']
    assert rows[2] == ['square', '–', '22.0', '24.0', '25.0', '26.0']
    assert rows[3] == ['mean', '60.0', '48.0', '50.0', '51.0', '52.0']
    assert class_table(stages[:1]) == (['class'], [])


def test_facts(stages, manifest):
    facts = dict(stage_facts(stages[4]))
    assert facts['config hash'] == 'ab' * 32 and facts['seed'] == '0' and facts['error'] == 'the <disk> is full'
    assert facts['reads images'] == 'drawn by the data set (8 items)'
    assert dict(stage_facts(stages[3]))['mIoU'] == '55'
    assert 'error' not in dict(stage_facts(stages[3]))
    manifest.stages['cam']['versions'] = dict(torch='2.14.0')
    assert dict(versions(read_stages(manifest))) == dict(python='3.11.7', torch='2.15.0, 2.14.0')


@pytest.mark.parametrize(('seconds', 'text'), [(0.4, '0 s'), (59.6, '1 min 0 s'), (7384, '2 h 3 min')])
def test_duration(seconds, text):
    assert duration(seconds) == text
