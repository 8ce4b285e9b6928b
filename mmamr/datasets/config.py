"""Configs, and the data sets that they name."""

import os
from typing import Any

from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmamr.registry import DATASETS
from mmamr.utils import InputError, default_work_dir

from .data_root import apply_options
from .image_label_dataset import ImageLabelDataset


def load_config(config: str | os.PathLike | Config, cfg_options: dict[str, Any] | None = None) -> Config:
    """Read a config.

    Args:
        config (str | PathLike | Config): A file, one of an installed package (``'mmamr::amr/….py'``), or a config that
            was read before; the latter is not changed.
        cfg_options (dict, optional): Settings to override, by dotted key; ``data_root``, ``metainfo`` and ``labels``
            are those of :func:`~mmamr.datasets.data_root.open_data_root`. Defaults to None.

    Returns:
        Config: The config.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    if isinstance(config, Config):
        cfg = config.copy()
    elif '::' in str(config):
        # mmengine looks into packages for bases only
        cfg = Config.fromstring(f'_base_ = {str(config)!r}', '.py')
    elif not os.path.isfile(config):
        raise FileNotFoundError(f'no config {config}: name a file below configs/, or mmamr::<path below configs/>')
    else:
        cfg = Config.fromfile(config)
    apply_options(cfg, cfg_options or {}, cfg.get('work_dir') or default_work_dir(cfg.filename or 'config'))
    return cfg


def init_dataset(config: str | os.PathLike | Config, cfg_options: dict[str, Any] | None = None) -> ImageLabelDataset:
    """The data set of ``test_dataloader``, without its pipeline: for tools that look at files, not at batches.

    Args:
        config (str | PathLike | Config): See :func:`load_config`.
        cfg_options (dict, optional): Settings to override, by dotted key. Defaults to None.

    Returns:
        ImageLabelDataset: The data set.

    Raises:
        InputError: If the config has none.
    """

    cfg = load_config(config, cfg_options)
    loader = cfg.get('test_dataloader')
    if loader is None or 'dataset' not in loader:
        raise InputError(
            f'{cfg.filename or "the config"} has no test_dataloader: name the config of a stage that '
            'makes CAMs or labels'
        )
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmamr')):
        dataset = DATASETS.build({**loader.dataset, 'pipeline': []})
    if not isinstance(dataset, ImageLabelDataset):
        raise InputError(
            f'{cfg.filename or "the config"} measures a {type(dataset).__name__}, which has no '
            'image-level labels: name the config of a stage that makes CAMs or labels'
        )
    return dataset
