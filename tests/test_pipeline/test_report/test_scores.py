import pytest

from mmamr.pipeline.report.scores import Score, headline, scores_of, title


def test_metrics_become_scores():
    metrics = {
        'CAM/spotlight.mIoU': 41.0,
        'CAM/spotlight.best_mIoU': 50.0,
        'CAM/spotlight.best_threshold': 0.2,
        'CAM/weighted(xi=0.1).mIoU': 42.0,
        'labels/mIoU': 43.0,
        'labels/FP': 1.0,
        'labels/coverage': 97.0,
        'multi-label/mAP': 90.0,
        'IoU.disc': 30.0,
    }
    assert scores_of('labels', metrics, dict(spotlight=dict(threshold=0.15))) == [
        Score('spotlight', 41.0, 50.0, 0.2, 0.15),
        Score('weighted, ξ = 0.1', 42.0),
        Score('', 43.0, coverage=97.0),
    ]
    assert scores_of('evaluation', {'mIoU': 40.0, 'ms_flip/mIoU': 41.0}, {}) == [
        Score('', 40.0),
        Score('ms_flip', 41.0),
    ]
    assert scores_of('classifier', {'multi-label/mAP': 90.0}, {}) == []


@pytest.mark.parametrize(
    ('row', 'expected'),
    [
        ('', ''),
        ('cam', ''),
        ('spotlight', 'spotlight'),
        ('weighted', 'weighted, ξ = 0.5'),
        ('weighted(xi=0.3)', 'weighted, ξ = 0.3'),
    ],
)
def test_title(row, expected):
    assert title('cam', row) == expected


def test_headline():
    spotlight, weighted = Score('spotlight', 1.0, 4.0), Score('weighted, ξ = 0.5', 2.0, 3.0)
    assert headline([]) is None
    assert headline([spotlight, weighted, Score('weighted, ξ = 0.9', 1.0, 9.0)]) is weighted
    assert headline([Score('CAM', 1.0, 2.0), spotlight]) is spotlight
    labels = Score('', 5.0)
    assert headline([spotlight, weighted, labels]) is labels
