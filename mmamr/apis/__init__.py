"""What a Python user calls. Importing it does not import mmseg or mmpretrain; using it does."""

from .config import init_dataset, load_config
from .evaluation import evaluate_cams, evaluate_labels, metrics_table, write_metrics
from .inference import init_model, make_cams
from .loop_pictures import draw_loop, loop_rows, require_screen
from .pictures import affinity_rows, cam_rows, choose_items, label_rows, save_rows, show_cams
from .report import write_report

__all__ = [
    'affinity_rows',
    'cam_rows',
    'choose_items',
    'draw_loop',
    'evaluate_cams',
    'evaluate_labels',
    'init_dataset',
    'init_model',
    'label_rows',
    'load_config',
    'loop_rows',
    'make_cams',
    'metrics_table',
    'require_screen',
    'save_rows',
    'show_cams',
    'write_metrics',
    'write_report',
]
