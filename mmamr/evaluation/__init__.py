from .cam_metric import CAMMetric
from .label_metric import LabelMetric
from .segmentation_metric import SegmentationMetric
from .threshold_sweep import ThresholdSweep, scores

__all__ = ['CAMMetric', 'LabelMetric', 'SegmentationMetric', 'ThresholdSweep', 'scores']
