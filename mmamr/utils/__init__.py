from .files import atomic_write, write_png

__all__ = ['atomic_write', 'write_png']
