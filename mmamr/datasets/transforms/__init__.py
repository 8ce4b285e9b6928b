from .loading import KeepPhoto, LoadImage
from .processing import RandomCropPad, RandomLongSideResize, RandomSquareErase

__all__ = ['KeepPhoto', 'LoadImage', 'RandomCropPad', 'RandomLongSideResize', 'RandomSquareErase']
