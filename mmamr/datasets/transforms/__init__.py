from .cams import KeepKeys, LoadCAM, MakeAffinityLabel
from .loading import LoadImage
from .processing import RandomCropPad, RandomLongSideResize, RandomSquareErase

__all__ = [
    'KeepKeys',
    'LoadCAM',
    'LoadImage',
    'MakeAffinityLabel',
    'RandomCropPad',
    'RandomLongSideResize',
    'RandomSquareErase',
]
