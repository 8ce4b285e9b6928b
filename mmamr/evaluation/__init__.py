from .average_precision import AveragePrecision
from .cam_metric import CAMMetric
from .doubt_metric import DoubtMetric
from .evaluate import evaluate_cams, evaluate_labels, metrics_table, write_metrics
from .image_iou import image_iou
from .label_metric import LabelMetric
from .segmentation_metric import SegmentationMetric
from .threshold_sweep import ThresholdSweep, scores

__all__ = [
    'AveragePrecision',
    'CAMMetric',
    'DoubtMetric',
    'LabelMetric',
    'SegmentationMetric',
    'ThresholdSweep',
    'evaluate_cams',
    'evaluate_labels',
    'image_iou',
    'metrics_table',
    'scores',
    'write_metrics',
]
