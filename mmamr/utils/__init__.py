from .files import atomic_write, write_png
from .progress import track

__all__ = ['atomic_write', 'track', 'write_png']
