from .checkpoints import fit_tensors, read_tensors, rename_tensors, write_checkpoint
from .checks import SettingError, check_choice, check_flag, check_keys, check_number, check_numbers
from .config_text import check_types, config_of_checkpoint, parse_config, read_checkpoint_meta
from .cpu import has_fast_bfloat16
from .errors import DatasetError, InputError, confirm, failure_line, one_line_errors, unreadable_reason
from .files import atomic_write, write_png
from .folder_lock import FolderLock
from .interrupts import Interrupted, end_with_launcher, interrupted, interruptible, raise_if_interrupted
from .modes import evaluating, frozen
from .options import DictAction, add_config_arguments, split_names
from .parallel import share_work
from .progress import progress_bar, track, track_slow
from .settings import check_config, check_training, merge_options
from .work_dir import WARNINGS_FILE, default_work_dir

__all__ = [
    'WARNINGS_FILE',
    'DatasetError',
    'DictAction',
    'FolderLock',
    'InputError',
    'Interrupted',
    'SettingError',
    'add_config_arguments',
    'atomic_write',
    'check_choice',
    'check_config',
    'check_flag',
    'check_keys',
    'check_number',
    'check_numbers',
    'check_training',
    'check_types',
    'config_of_checkpoint',
    'confirm',
    'default_work_dir',
    'end_with_launcher',
    'evaluating',
    'failure_line',
    'fit_tensors',
    'frozen',
    'has_fast_bfloat16',
    'interrupted',
    'interruptible',
    'merge_options',
    'one_line_errors',
    'parse_config',
    'progress_bar',
    'raise_if_interrupted',
    'read_checkpoint_meta',
    'read_tensors',
    'rename_tensors',
    'share_work',
    'split_names',
    'track',
    'track_slow',
    'unreadable_reason',
    'write_checkpoint',
    'write_png',
]
