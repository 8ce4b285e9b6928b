from .average_precision import AveragePrecision
from .cam_metric import CAMMetric
from .complement_metric import ComplementMetric
from .doubt_metric import DoubtMetric
from .evaluate import evaluate_cams, evaluate_complement, evaluate_labels, metrics_table, write_metrics
from .image_iou import image_iou
from .label_metric import LabelMetric
from .segmentation_metric import SegmentationMetric
from .threshold_sweep import ThresholdSweep, scores

__all__ = [
    'AveragePrecision',
    'CAMMetric',
    'ComplementMetric',
    'DoubtMetric',
    'LabelMetric',
    'SegmentationMetric',
    'ThresholdSweep',
    'evaluate_cams',
    'evaluate_complement',
    'evaluate_labels',
    'image_iou',
    'metrics_table',
    'scores',
    'write_metrics',
]
