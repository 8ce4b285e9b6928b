from .amm import AMM, ChannelModulation, SpatialModulation
from .attach import attach_amm, detach_after
from .functions import GaussianModulation, ThresholdModulation
from .record import activations_of, choose_amm, find_amms, recording

__all__ = [
    'AMM',
    'ChannelModulation',
    'GaussianModulation',
    'SpatialModulation',
    'ThresholdModulation',
    'activations_of',
    'attach_amm',
    'choose_amm',
    'detach_after',
    'find_amms',
    'recording',
]
