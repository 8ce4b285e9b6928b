from .errors import InputError, one_line_errors
from .files import atomic_write, write_png
from .progress import track

__all__ = ['InputError', 'atomic_write', 'one_line_errors', 'track', 'write_png']
