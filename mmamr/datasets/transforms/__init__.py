from .loading import LoadImage
from .processing import RandomCropPad, RandomLongSideResize, RandomSquareErase

__all__ = ['LoadImage', 'RandomCropPad', 'RandomLongSideResize', 'RandomSquareErase']
