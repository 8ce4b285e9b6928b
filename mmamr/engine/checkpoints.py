"""Which checkpoint of a training can be believed."""

import os
import os.path as osp
import re

import torch
from mmengine.config import Config
from mmengine.logging import print_log


def checkpoint_is_whole(path: str) -> bool:
    """Whether a checkpoint can be read to its end: a file that was cut short has lost the list of its parts."""
    try:
        torch.load(path, map_location='cpu', weights_only=True, mmap=True)
    except Exception:  # whatever a broken file makes of the reader
        return False
    return True


def latest_checkpoint(folder: str) -> str | None:
    """The newest whole checkpoint ``*_<number>.pth`` in a folder.

    mmengine writes a checkpoint and the name in ``last_checkpoint`` in place, so after a kill either may be half a
    file, and the name may be that of a checkpoint that is gone. Here only the files themselves are believed.

    Args:
        folder (str): The work folder of a training.

    Returns:
        str, optional: Its path; None if there is none.
    """
    numbers = {}
    for name in os.listdir(folder) if osp.isdir(folder) else ():
        match = re.fullmatch(r'(?!best_).*?(\d+)\.pth', name)
        if match:
            numbers[osp.join(folder, name)] = int(match[1])
    for path in sorted(numbers, key=lambda path: numbers[path], reverse=True):
        if checkpoint_is_whole(path):
            return path
        print_log(f'{path} is not a whole checkpoint; the one before it is taken', 'current')
    return None


def resume_from_latest(cfg: Config) -> str | None:
    """Let a config resume from the newest whole checkpoint in its work folder.

    Where there is none, the training starts as the config says, from its own ``load_from``.

    Args:
        cfg (Config): Config of a training; ``resume`` and ``load_from`` are set.

    Returns:
        str, optional: The checkpoint.
    """
    path = latest_checkpoint(cfg.work_dir)
    cfg.resume = path is not None
    if path is not None:
        cfg.load_from = path
    return path


def remove_checkpoints(folder: str) -> None:
    """Remove the checkpoints of a training, so that a new one in the same folder never resumes from them."""
    for name in os.listdir(folder) if osp.isdir(folder) else ():
        if name.endswith('.pth') or name == 'last_checkpoint':
            os.unlink(osp.join(folder, name))
