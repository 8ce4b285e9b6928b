"""Pictures of CAMs, affinities and labels: plain drawing functions of RGB arrays."""

from .panels import draw_displacement, draw_heat_map, draw_labels, draw_scores
from .rows import affinity_row, cam_row, label_row
from .sheet import Row, draw_sheet, save_picture

__all__ = [
    'Row',
    'affinity_row',
    'cam_row',
    'draw_displacement',
    'draw_heat_map',
    'draw_labels',
    'draw_scores',
    'draw_sheet',
    'label_row',
    'save_picture',
]
