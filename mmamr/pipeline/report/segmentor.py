"""The trained segmentation model of a pipeline, and what it predicted."""

import os.path as osp
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset, Compose, pseudo_collate
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmseg.datasets import BaseSegDataset

from mmamr.datasets import SegmentationDataset
from mmamr.fileio import LabelFolder, read_truth
from mmamr.models.utils import build_model
from mmamr.registry import DATASETS
from mmamr.structures import ClassIndex
from mmamr.utils import InputError

from .stage_config import stage_config
from .work_folder import StageFiles

MASK_TRANSFORMS = ('LoadAnnotations', 'LoadMask')


class Segmentor:
    """The trained segmentation model with the test pipeline of its evaluation, test-time options included.

    What the evaluation wrote is read; only what it did not predict is predicted. Config and weights are read when it is
    first asked for something.

    Args:
        stages (Sequence[StageFiles]): All stages, one of which trained it.
        evaluation (StageFiles): The stage that measured it; ``load_from`` of its config is the checkpoint.
    """

    def __init__(self, stages: Sequence[StageFiles], evaluation: StageFiles) -> None:
        self.stages = stages
        self.evaluation = evaluation
        self.model: BaseModel | None = None

    @cached_property
    def cfg(self) -> Config:
        """Complete config of the evaluation."""
        return stage_config(self.evaluation, self.stages)

    @cached_property
    def dataset(self) -> BaseDataset:
        """The images that it is evaluated on."""
        with self._scope():
            cls = DATASETS.get(self.cfg.test_dataloader.dataset.type)
            if not issubclass(cls, BaseSegDataset):
                raise InputError(f'{self.evaluation.name} measures a {cls.__name__}, which has no masks to look at')
            return DATASETS.build(self.cfg.test_dataloader.dataset)

    @cached_property
    def class_index(self) -> ClassIndex:
        """How the files of the predictions count classes."""
        meta = self.dataset.metainfo
        values = meta.get('mask_values', range(len(meta['classes'])))
        return ClassIndex(meta['classes'][1:], tuple(values)[1:], meta['palette'])

    @cached_property
    def folder(self) -> LabelFolder | None:
        """The predictions that the evaluation wrote; None where it wrote none."""
        evaluators = self.cfg.get('test_evaluator') or {}
        for one in [evaluators] if isinstance(evaluators, Mapping) else evaluators:
            path = one.get('output_dir')
            if path and osp.isdir(path):
                return LabelFolder(path, self.class_index)
        return None

    def written(self, path: str) -> np.ndarray | None:
        """Training indices ``(H, W)`` that the evaluation wrote for an image; None where it did not."""
        img_id = osp.splitext(osp.basename(path))[0]
        if self.folder is None or not osp.isfile(self.folder.path(img_id)):
            return None
        return self.folder.read(img_id)

    def prediction(self, path: str, size: Sequence[int]) -> np.ndarray:
        """Training indices of any image of a size ``(H, W)``: as they were written, else predicted now."""
        label = self.written(path)
        # another image of this name may lie in another folder
        return self.predict_file(path) if label is None or label.shape != tuple(size) else label

    def truth(self, index: int) -> np.ndarray | None:
        """Mask ``(H, W)`` of image ``index`` of the evaluation; None where there is none."""
        if isinstance(self.dataset, SegmentationDataset):
            return read_truth(self.dataset.get_data_info(index), self.class_index)
        sample = self.dataset[index]['data_samples']
        return sample.gt_sem_seg.data[0].cpu().numpy() if 'gt_sem_seg' in sample else None

    def predict_file(self, path: str) -> np.ndarray:
        """Predict training indices ``(H, W)`` of any image."""
        with self._scope():
            pipeline = Compose(without_masks(self.cfg.test_dataloader.dataset.pipeline))
        item = dict(img_path=path, seg_fields=[], reduce_zero_label=False)
        if 'max_long_side' in self.cfg.test_dataloader.dataset:
            item['max_long_side'] = self.cfg.test_dataloader.dataset.max_long_side
        return self.predict(pipeline(item))

    @torch.inference_mode()
    def predict(self, data: dict[str, Any]) -> np.ndarray:
        """Predict training indices ``(H, W)`` of what a pipeline gives for an image."""
        if self.model is None:
            device = 'cuda' if torch.cuda.is_available() else 'cpu'
            self.model = build_model(self.cfg, self.cfg.load_from, device)
        sample = self.model.test_step(pseudo_collate([data]))[0]
        return sample.pred_sem_seg.data[0].cpu().numpy()

    def _scope(self) -> AbstractContextManager[None]:
        return DefaultScope.overwrite_default_scope(self.cfg.get('default_scope', 'mmamr'))


def without_masks(pipeline: Sequence[Mapping]) -> list[dict]:
    """A test pipeline without the steps that load masks, also inside ``TestTimeAug``."""
    kept = []
    for step in pipeline:
        name = step['type'].rpartition('.')[2]
        if name == 'TestTimeAug':
            views = [without_masks(view) for view in step['transforms']]
            kept.append({**step, 'transforms': [view for view in views if view]})
        elif name not in MASK_TRANSFORMS:
            kept.append(dict(step))
    return kept
