from .checkpoints import fit_tensors, read_tensors, rename_tensors, write_checkpoint
from .config_text import check_types, config_of_checkpoint, parse_config, read_checkpoint_meta
from .errors import DatasetError, InputError, confirm, failure_line, one_line_errors
from .files import atomic_write, write_png
from .folder_lock import FolderLock
from .modes import evaluating, frozen
from .options import DictAction, add_config_arguments, split_names
from .parallel import share_work
from .progress import progress_bar, track
from .work_dir import WARNINGS_FILE, default_work_dir

__all__ = [
    'WARNINGS_FILE',
    'DatasetError',
    'DictAction',
    'FolderLock',
    'InputError',
    'add_config_arguments',
    'atomic_write',
    'check_types',
    'config_of_checkpoint',
    'confirm',
    'default_work_dir',
    'evaluating',
    'failure_line',
    'fit_tensors',
    'frozen',
    'one_line_errors',
    'parse_config',
    'progress_bar',
    'read_checkpoint_meta',
    'read_tensors',
    'rename_tensors',
    'share_work',
    'split_names',
    'track',
    'write_checkpoint',
    'write_png',
]
