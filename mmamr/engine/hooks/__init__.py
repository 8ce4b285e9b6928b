from .cam_visualization_hook import CAMVisualizationHook
from .mean_displacement import MeanDisplacementHook

__all__ = ['CAMVisualizationHook', 'MeanDisplacementHook']
