"""The config of a stage that was run, and the folder that it filled."""

import os.path as osp
from collections.abc import Sequence

from mmengine.config import Config

from mmamr.datasets.data_root import leave_out_masks
from mmamr.engine import apply_test_time, latest_checkpoint
from mmamr.utils import InputError

from ..stage import replace_names
from .registered import check_registered
from .work_folder import StageFiles

BUILT = ('model', 'data_preprocessor', 'tta_model', 'test_time')
"""What a report builds of the settings of a stage, beside its data set."""


def stage_config(stage: StageFiles, stages: Sequence[StageFiles]) -> Config:
    """The complete config of a stage, with what the other stages made where it stands now.

    Args:
        stage (StageFiles): The stage.
        stages (Sequence[StageFiles]): All stages.

    Raises:
        InputError: If the settings of the stage are not known, or name anything but registered classes.
    """
    if stage.settings is None:
        raise InputError(f'{stage.folder}: the settings of the stage are gone; run it again')
    by_name = {one.name: one for one in stages}

    def where(name: str, what: str) -> str:
        other = by_name.get(name)
        if other is None or what == 'work_dir':
            return osp.join(osp.dirname(stage.folder), name)
        return (latest_checkpoint(other.folder) if what == 'checkpoint' else other.output(what)) or ''

    cfg = Config(replace_names(stage.settings.copy()._cfg_dict, where))
    # the settings of a stage are data: they call nothing but what is registered
    built = [*map(cfg.get, BUILT), (cfg.get('test_dataloader') or {}).get('dataset')]
    check_registered(built, cfg.get('default_scope') or 'mmamr', f'the settings in {stage.folder}')
    if 'data_root' in stage.record.get('options', {}):
        leave_out_masks(cfg)
    if stage.record.get('kind') == 'test':
        apply_test_time(cfg)
    return cfg


def filled_folder(stage: StageFiles) -> str:
    """The folder that a stage filled; raises InputError where the manifest names none."""
    folder = stage.output('out_dir')
    if folder is None:
        raise InputError(f'the manifest does not say which folder {stage.name} filled; run the stage again')
    return folder
