from .checkpoints import fit_tensors, read_tensors, rename_tensors, write_checkpoint
from .errors import InputError, failure_line, one_line_errors
from .files import atomic_write, write_png
from .modes import evaluating, frozen
from .progress import track
from .work_dir import default_work_dir

__all__ = [
    'InputError',
    'atomic_write',
    'default_work_dir',
    'evaluating',
    'failure_line',
    'fit_tensors',
    'frozen',
    'one_line_errors',
    'read_tensors',
    'rename_tensors',
    'track',
    'write_checkpoint',
    'write_png',
]
