"""Pictures of CAMs, affinities and labels: functions of RGB arrays, rows of what stages wrote, and the visualizer."""

from .histograms import draw_histograms
from .local_visualizer import CAMLocalVisualizer
from .panels import draw_displacement, draw_heat_map, draw_labels, draw_scores, label_layer, shrink_label
from .rows import affinity_row, cam_row, label_row, legend, strongest
from .screen import require_screen
from .sheet import Row, draw_sheet, save_picture, save_rows
from .stage_rows import affinity_rows, cam_rows, label_rows

__all__ = [
    'CAMLocalVisualizer',
    'Row',
    'affinity_row',
    'affinity_rows',
    'cam_row',
    'cam_rows',
    'draw_displacement',
    'draw_heat_map',
    'draw_histograms',
    'draw_labels',
    'draw_scores',
    'draw_sheet',
    'label_layer',
    'label_row',
    'label_rows',
    'legend',
    'require_screen',
    'save_picture',
    'save_rows',
    'shrink_label',
    'strongest',
]
