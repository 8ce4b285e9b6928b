from .activation_histogram_hook import ActivationHistogramHook
from .cam_visualization_hook import CAMVisualizationHook
from .channels_last_hook import ChannelsLastHook
from .guard_hooks import CheckpointCheckHook, DivergenceHook, InterruptHook
from .mean_displacement import MeanDisplacementHook
from .picture_hook import PictureHook
from .prediction_picture_hook import PredictionPictureHook
from .resumable_randomness_hook import ResumableRandomnessHook
from .tag_check_hook import TagCheckHook

__all__ = [
    'ActivationHistogramHook',
    'CAMVisualizationHook',
    'ChannelsLastHook',
    'CheckpointCheckHook',
    'DivergenceHook',
    'InterruptHook',
    'MeanDisplacementHook',
    'PictureHook',
    'PredictionPictureHook',
    'ResumableRandomnessHook',
    'TagCheckHook',
]
