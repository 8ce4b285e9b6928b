from .amm import AMM, ChannelModulation, SpatialModulation
from .attach import attach_amm, detach_after
from .functions import GaussianModulation, ThresholdModulation

__all__ = [
    'AMM', 'ChannelModulation', 'GaussianModulation', 'SpatialModulation', 'ThresholdModulation', 'attach_amm',
    'detach_after'
]
