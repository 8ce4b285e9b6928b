"""Fingerprints of what a stage reads and writes: where it is, how much it is, and a hash of what is in it."""

import copy
import hashlib
import json
import os
import os.path as osp
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS

from mmamr.datasets.data_root import leaf_datasets
from mmamr.fileio import SETTINGS
from mmamr.utils import track_slow

Fingerprint = dict[str, Any]


def hash_parts(parts: Iterable) -> str:
    """SHA-256 of some values that JSON knows, in their order."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(json.dumps(part, sort_keys=True, default=str).encode() + b'\n')
    return digest.hexdigest()


def file_hash(path: str) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def checkpoint_fingerprint(path: str) -> Fingerprint:
    """Of the weights alone: a checkpoint also holds the times of its training, which no later stage reads."""
    checkpoint = torch.load(path, map_location='cpu', weights_only=True, mmap=True)
    digest = hashlib.sha256()
    weights = checkpoint.get('state_dict', checkpoint)
    for name, value in sorted(weights.items()):
        digest.update(f'{name} {value.dtype} {tuple(value.shape)}'.encode())
        digest.update(value.contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return dict(path=path, count=len(weights), unit='tensors', hash=digest.hexdigest())


def file_names(folder: str) -> list[str]:
    """Names of the files in a folder, without hidden ones and the settings that they were made with."""
    return sorted(
        entry.name
        for entry in os.scandir(folder)
        if entry.is_file() and not entry.name.startswith('.') and entry.name != SETTINGS
    )


def folder_fingerprint(path: str) -> Fingerprint:
    """Of the names and the bytes of the files in a folder."""
    names = file_names(path)
    hashes = ((name, file_hash(osp.join(path, name))) for name in track_slow(names, f'files of {osp.basename(path)}'))
    return dict(path=path, count=len(names), hash=hash_parts(hashes))


def file_fingerprint(path: str) -> Fingerprint:
    """Of the bytes of a file."""
    return dict(path=path, count=1, hash=file_hash(path))


def path_fingerprint(path: str) -> Fingerprint:
    """Of a checkpoint, a folder or another file, whatever stands at ``path``.

    Raises:
        FileNotFoundError: If nothing does.
    """
    if osp.isdir(path):
        return folder_fingerprint(path)
    return checkpoint_fingerprint(path) if path.endswith('.pth') else file_fingerprint(path)


def dataset_fingerprint(cfg: Config, dataloader: str) -> Fingerprint:
    """Of the items of a data set: their order, names, labels and the sizes of their files.

    Args:
        cfg (Config): Config of a stage.
        dataloader (str): Which of its data loaders: ``'train_dataloader'`` or ``'test_dataloader'``.

    Raises:
        DatasetError: If the data set cannot be used.
    """
    with DATASETS.switch_scope_and_registry(cfg.get('default_scope')) as registry:
        settings = copy.deepcopy(cfg[dataloader].dataset)
        for leaf in leaf_datasets(settings):
            if issubclass(registry.get(leaf['type']), BaseDataset):
                leaf['serialize_data'] = False  # it is for worker processes, and slow
        dataset = registry.build(settings)
    items = hash_parts((*_items(dataset), *_mask_colors(dataset)))
    return dict(path=data_root_of(cfg[dataloader].dataset), count=len(dataset), unit='items', hash=items)


def data_root_of(dataset: dict) -> str:
    """The first ``data_root`` in the config of a data set; empty if none is named."""
    return next((leaf['data_root'] for leaf in leaf_datasets(dataset) if leaf.get('data_root')), '')


def _items(dataset: Any) -> Iterator[dict]:
    """The items of a data set, or of those that it wraps, without the folders that they lie in."""
    wrapped = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if wrapped[0] is not None:
        for inner in wrapped:
            yield from _items(inner)
    elif isinstance(dataset, BaseDataset):
        for index in track_slow(range(len(dataset)), 'sizes of the photos'):
            # as the list has it: a subclass may read a file for more
            item = BaseDataset.get_data_info(dataset, index)
            yield {key: _file_size(value) if key.endswith('_path') else value for key, value in item.items()}


def _mask_colors(dataset: Any) -> Iterator[dict]:
    """Colours that data sets read from a file beside their masks."""
    wrapped = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    for inner in wrapped if wrapped[0] is not None else ():
        yield from _mask_colors(inner)
    colors = getattr(getattr(dataset, 'class_index', None), 'mask_colors', None)
    if colors is not None:
        yield dict(mask_colors=colors)


def _file_size(path: Any) -> Any:
    """Name and size of a file; what is no file stays as it is."""
    if not isinstance(path, str):
        return path
    try:
        return [osp.basename(path), os.stat(path).st_size]
    except (OSError, ValueError):
        return path
