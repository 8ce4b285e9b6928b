"""What a Python user calls. Importing it does not import mmseg or mmpretrain; using it does."""
from .config import init_dataset, load_config
from .evaluation import evaluate_cams, evaluate_labels, metrics_table, write_metrics
from .inference import init_model, make_cams
from .pictures import affinity_rows, cam_rows, choose_items, save_rows, show_cams

__all__ = [
    'affinity_rows', 'cam_rows', 'choose_items', 'evaluate_cams', 'evaluate_labels', 'init_dataset', 'init_model',
    'load_config', 'make_cams', 'metrics_table', 'save_rows', 'show_cams', 'write_metrics'
]
