from .cam_visualization_hook import CAMVisualizationHook
from .mean_displacement import MeanDisplacementHook
from .prediction_picture_hook import PredictionPictureHook

__all__ = ['CAMVisualizationHook', 'MeanDisplacementHook', 'PredictionPictureHook']
