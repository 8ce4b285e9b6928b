"""The data sets of all stages of a pipeline."""

import os.path as osp

from mmengine.config import Config

from mmamr.datasets import ImageLabelDataset
from mmamr.datasets.check import datasets_of_configs
from mmamr.datasets.data_root import leave_out_masks, open_data_root
from mmamr.utils import default_work_dir

from .stage import parse_stages


def datasets_of_pipeline(cfg: Config) -> dict[str, ImageLabelDataset]:
    """The lists of images that the stages of a pipeline read, each once, as the stages would read them.

    Args:
        cfg (Config): Of the pipeline.

    Returns:
        dict[str, ImageLabelDataset]: Under the names of the stages and loaders; see
        :func:`~mmamr.datasets.check.datasets_of_configs`.

    Raises:
        InputError: If the stages do not fit together.
    """
    stages = parse_stages(cfg['stages'], osp.dirname(cfg.filename) if cfg.filename else '.')
    data_root = None
    if cfg.get('data_root') is not None:
        work_dir = cfg.get('work_dir') or default_work_dir(cfg.filename or 'pipeline')
        data_root = open_data_root(cfg['data_root'], work_dir, cfg.get('metainfo'), cfg.get('labels'), cfg.get('masks'))
    configs = {}
    for name, stage in stages.items():
        configs[name] = stage.load_config(cfg.get('options') or {}, data_root)
        for loader in ('test_dataloader',) if stage.kind == 'train' else ('train_dataloader', 'val_dataloader'):
            configs[name][loader] = None
        if data_root is not None:
            leave_out_masks(configs[name])
    return datasets_of_configs(configs)
