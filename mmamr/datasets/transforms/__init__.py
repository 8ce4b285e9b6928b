from .inferencer_loader import InferencerLoader
from .loading import KeepPhoto, LoadImage
from .processing import RandomCropPad, RandomLongSideResize, RandomSquareErase

__all__ = ['InferencerLoader', 'KeepPhoto', 'LoadImage', 'RandomCropPad', 'RandomLongSideResize', 'RandomSquareErase']
