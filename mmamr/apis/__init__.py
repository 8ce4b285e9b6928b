"""What a Python user calls."""

from mmamr.datasets import choose_items, init_dataset, load_config
from mmamr.evaluation import evaluate_cams, evaluate_complement, evaluate_labels, metrics_table, write_metrics
from mmamr.models.modulation import activations_of
from mmamr.pipeline import write_report
from mmamr.visualization import affinity_rows, cam_rows, label_rows, save_rows

from .export import export
from .inference import init_model, make_cams, show_cams
from .inferencers import CAMInferencer, SegInferencer
from .predict import predict

__all__ = [
    'CAMInferencer',
    'SegInferencer',
    'activations_of',
    'affinity_rows',
    'cam_rows',
    'choose_items',
    'evaluate_cams',
    'evaluate_complement',
    'evaluate_labels',
    'export',
    'init_dataset',
    'init_model',
    'label_rows',
    'load_config',
    'make_cams',
    'metrics_table',
    'predict',
    'save_rows',
    'show_cams',
    'write_metrics',
    'write_report',
]
