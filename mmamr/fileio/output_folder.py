"""A folder of one file an image that knows what was made, how, and what is missing."""

import hashlib
import json
import os
import os.path as osp
from collections.abc import Callable
from typing import Any

import torch
from mmengine.dist import all_gather_object, barrier, get_dist_info, is_main_process
from mmengine.logging import print_log
from torch import nn

from mmamr.utils import InputError, atomic_write, track_slow

from .folder import FilesFolder

SETTINGS = 'settings.json'


def state_digest(model: nn.Module) -> str:
    """SHA-256 of the names, types and bytes of a model's weights and buffers."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f'{name} {value.dtype} {tuple(value.shape)}'.encode())
        digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


class ChangedSettingsError(InputError):
    """What is finished was made with other settings; nobody asked to make it again."""


class OutputFolder:
    """The files of a stage, and the settings that they were made with beside them.

    Files are kept from one run to the next if they are whole. Where the settings (model weights, scales, thresholds, …)
    are not those of the files that are there, they are only deleted and made again if that was asked for, so that a
    folder never mixes two kinds. Files of which nobody wrote down the settings, such as masks or the CAMs of somebody
    else, are never deleted.

    Args:
        files (CAMFolder | LabelFolder): The folder.
        settings (dict): What the files depend on; must survive JSON.
        redo (bool): Whether files that were made with other settings are made again. Defaults to False.
    """

    def __init__(self, files: FilesFolder, settings: dict[str, Any], redo: bool = False) -> None:
        self.files = files
        self.folder = files.folder
        self.settings = json.loads(json.dumps(settings))
        self.redo = redo

    def prepare(self) -> None:
        """Make the folder, clear what a killed run left, and with ``redo`` delete files made with other settings.

        Every process must call it; the main process works.

        Raises:
            InputError: If the folder holds files that no stage made.
            ChangedSettingsError: If it holds files that were made with other settings, without ``redo``.
        """
        self.refuse_foreign_files()
        old, changed = self.file_names(), self.changed_settings()
        if old and changed is not None and not self.redo:
            raise ChangedSettingsError(
                f'{self.folder} holds {len(old)} files that were made with other {", ".join(changed)}: pass --redo to '
                'make them again, or name another --work-dir'
            )
        barrier()
        if is_main_process():
            os.makedirs(self.folder, exist_ok=True)
            for name in os.listdir(self.folder):
                if name.startswith('.tmp-'):
                    os.unlink(osp.join(self.folder, name))
            if changed is not None:
                if old:
                    print_log(
                        f'{self.folder}: {len(old)} files were made with other {", ".join(changed)}; they are '
                        'deleted and made again',
                        'current',
                    )
                for name in old:
                    os.unlink(osp.join(self.folder, name))
                # only now: a run killed above finds the old settings and deletes the rest
                with atomic_write(osp.join(self.folder, SETTINGS), 'w', encoding='utf-8') as file:
                    json.dump(self.settings, file, indent=2, sort_keys=True)
                    file.write('\n')
        barrier()

    def file_names(self) -> list[str]:
        """Names of the files that are there."""
        if not osp.isdir(self.folder):
            return []
        suffix = self.files.suffix
        return [name for name in os.listdir(self.folder) if name.endswith(suffix) and not name.startswith('.')]

    def refuse_foreign_files(self) -> None:
        """Raise where files are there but not the settings that they were made with."""
        if isinstance(self.known_settings(), dict):
            return
        files = self.file_names()
        if files and osp.exists(osp.join(self.folder, SETTINGS)):
            raise InputError(
                f'{osp.join(self.folder, SETTINGS)} is damaged, so nobody knows how the {len(files)} files beside it '
                'were made: name another folder, or delete them yourself'
            )
        if files:
            raise InputError(
                f'{self.folder} holds {len(files)} {self.files.suffix} files but no {SETTINGS}, so this stage '
                'did not make them: name another folder, or delete them yourself'
            )

    def known_settings(self) -> Any:
        """The settings of the files that are there; None if nobody wrote them down."""
        try:
            with open(osp.join(self.folder, SETTINGS), encoding='utf-8') as file:
                return json.load(file)
        except (OSError, ValueError, RecursionError):
            return None

    def changed_settings(self) -> list[str] | None:
        """Names of settings that differ from those of the files that are there; None if none does."""
        known = self.known_settings()
        old = known if isinstance(known, dict) else {}
        names = [name for name in sorted(set(old) | set(self.settings)) if old.get(name) != self.settings.get(name)]
        return names or None

    def pending(self, count: int, is_valid: Callable[[int], bool]) -> list[int]:
        """Indices whose file is missing or broken; processes share the checking.

        Args:
            count (int): Number of images.
            is_valid (Callable): Whether the file of an index is whole.

        Returns:
            list[int]: The same on every process.
        """
        rank, world_size = get_dist_info()
        own = track_slow(range(rank, count, world_size), f'files of {osp.basename(self.folder)} that are there')
        mine = [index for index in own if not is_valid(index)]
        return sorted(index for part in all_gather_object(mine) for index in part)


def folder_digest(folder: str) -> str:
    """What a folder of files was made with, or which files of what size and age it has where nobody wrote that down.

    Args:
        folder (str): A folder that :class:`OutputFolder` or somebody else filled.

    Returns:
        str: SHA-256.

    Raises:
        FileNotFoundError: If there is no such folder.
    """
    if not osp.isdir(folder):
        raise FileNotFoundError(f'no folder {folder}: run the stage that makes it first')
    settings = osp.join(folder, SETTINGS)
    if osp.exists(settings):
        with open(settings, 'rb') as file:
            return hashlib.sha256(file.read()).hexdigest()
    with os.scandir(folder) as entries:
        listing = sorted(
            (entry.name, entry.stat().st_size, entry.stat().st_mtime_ns)
            for entry in entries
            if not entry.name.startswith('.')
        )
    return hashlib.sha256(json.dumps(listing).encode()).hexdigest()
