from .errors import InputError, failure_line, one_line_errors
from .files import atomic_write, write_png
from .modes import evaluating
from .progress import track

__all__ = ['InputError', 'atomic_write', 'evaluating', 'failure_line', 'one_line_errors', 'track', 'write_png']
