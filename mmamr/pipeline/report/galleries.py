"""Pictures of what a pipeline made of some images, for its report (Fig. 5)."""

import os.path as osp
from collections.abc import Callable, Iterator, Mapping, Sequence
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

from mmamr.datasets import ImageLabelDataset, SegmentationDataset, choose_items, init_dataset
from mmamr.engine import apply_test_time, latest_checkpoint
from mmamr.fileio import CAMFolder, LabelFolder, read_rgb, read_truth
from mmamr.models.utils import build_model
from mmamr.registry import DATASETS
from mmamr.utils import InputError, failure_line
from mmamr.visualization import cam_row, draw_labels, legend

from ..data_root import leave_out_masks
from ..fingerprints import leaf_datasets
from ..stage import replace_names
from .page import Gallery, Picture, PictureRow
from .work_folder import StageFiles

LABEL_LOOPS = ('PseudoLabelLoop',)
CAM_CAPTIONS = {'image': 'photo', 'spotlight': 'spotlight CAM', 'compensation': 'compensation CAM'}
MASK_TRANSFORMS = ('LoadAnnotations', 'LoadMask')


def draw_galleries(stages: Sequence[StageFiles], num: int, seed: int = 0) -> list[Gallery]:
    """What the stages made of some images: those that CAMs were made of, and those of the evaluation.

    Args:
        stages (Sequence[StageFiles]): The stages; what is not done is left out.
        num (int): How many images of each; all where there are fewer.
        seed (int): Of the choice. Defaults to 0.

    Returns:
        list[Gallery]: With a note instead of pictures where a file is missing or broken.
    """
    cam, evaluation = find(stages, 'CAMLoop'), find(stages, 'TestLoop')
    labels = find_labels(stages, evaluation)
    segmentor = None if evaluation is None else Segmentor(stages, evaluation)
    galleries = []

    def attempt(gallery: Gallery, draw: Callable[[], Iterator[PictureRow]]) -> None:
        galleries.append(gallery)
        try:
            gallery.rows = list(draw())
        except Exception as error:
            # the rest of the report is worth having
            gallery.note = f'No pictures: {failure_line(error) or f"{type(error).__name__}: {error}"}'

    if cam is not None:
        gallery = Gallery(
            'Pictures: images that CAMs were made of',
            f'{num} images at random (seed {seed}). The largest of the maps of all classes is shown. '
            'Predictions are of images that the model was trained on; the next pictures are not.',
        )
        attempt(gallery, lambda: cam_pictures(cam, stages, labels, segmentor, num, seed))
    if segmentor is not None:
        gallery = Gallery('Pictures: images of the evaluation', f'{num} images at random (seed {seed}).')
        attempt(gallery, lambda: evaluation_pictures(segmentor, num, seed))
    return galleries


def find(stages: Sequence[StageFiles], *loops: str) -> StageFiles | None:
    """The last stage that is done and runs one of these test loops."""
    return next((stage for stage in reversed(stages) if stage.done and stage.loop in loops), None)


def find_labels(stages: Sequence[StageFiles], evaluation: StageFiles | None) -> StageFiles | None:
    """The stage whose pseudo labels are shown: where several make some, the last before the evaluation.

    The segmentation learns from these; what stands after the evaluation is there for comparison.
    """
    before = [] if evaluation is None else stages[: stages.index(evaluation)]
    return find(before, *LABEL_LOOPS) or find(stages, *LABEL_LOOPS)


def stage_config(stage: StageFiles, stages: Sequence[StageFiles]) -> Config:
    """The complete config of a stage, with what the other stages made where it stands now.

    Raises:
        InputError: If the settings of the stage are not known.
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
    check_datasets(cfg)
    if 'data_root' in stage.record.get('options', {}):
        leave_out_masks(cfg)
    if stage.record.get('kind') == 'test':
        apply_test_time(cfg)
    return cfg


def check_datasets(cfg: Config) -> None:
    """Refuse data sets other than those of this package and of mmseg: some unpickle what they read.

    Raises:
        InputError: Names the data set.
    """
    with DATASETS.switch_scope_and_registry(cfg.get('default_scope')) as registry:
        for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
            for dataset in leaf_datasets((cfg.get(name) or {}).get('dataset') or {}):
                cls = registry.get(dataset['type']) if 'type' in dataset else None
                known = (ImageLabelDataset, SegmentationDataset, BaseSegDataset)
                if cls is not None and not (isinstance(cls, type) and issubclass(cls, known)):
                    raise InputError(f'a {dataset["type"]} may read what runs as a program: its photos are not drawn')


def filled_folder(stage: StageFiles) -> str:
    """The folder that a stage filled; raises InputError where the manifest names none."""
    folder = stage.output('out_dir')
    if folder is None:
        raise InputError(f'the manifest does not say which folder {stage.name} filled; run the stage again')
    return folder


def cam_pictures(
    cam: StageFiles,
    stages: Sequence[StageFiles],
    labels: StageFiles | None,
    segmentor: 'Segmentor | None',
    num: int,
    seed: int,
) -> Iterator[PictureRow]:
    """Photo, CAMs, pseudo label, prediction and ground truth; of the last three those that are there."""
    dataset = init_dataset(stage_config(cam, stages))
    index = dataset.class_index
    names, palette = ['background', *dataset.metainfo['classes']], dataset.metainfo['palette']
    xi = 0.5 if labels is None else stage_config(labels, stages).test_cfg.get('xi', 0.5)
    cams = CAMFolder(filled_folder(cam), index.num_classes)
    pseudo = None if labels is None else LabelFolder(filled_folder(labels), index)
    for item in choose_items(dataset, num=num, seed=seed):
        image = read_rgb(item['img_path'])
        row = cam_row(image, cams.read(item['img_id'], image.shape[:2]), names[1:], palette, xi=xi)
        present = ', '.join(row.legend)
        pictures = []
        for caption, panel in row.panels.items():
            caption = CAM_CAPTIONS.get(caption, caption.replace('weighted', 'weighted CAM'))
            pictures.append(Picture.from_array(panel, caption, f'{caption} of {item["img_id"]}: {present}'))
        maps: dict[str, np.ndarray | None] = {}
        if pseudo is not None:
            maps['pseudo label'] = pseudo.read(item['img_id'], image.shape[:2])
        if segmentor is not None:
            maps['prediction'] = segmentor.predict_file(item['img_path'])
        maps['ground truth'] = read_truth(item, index)
        pictures += label_pictures(image, maps, names, palette, item['img_id'])
        yield PictureRow(item['img_id'], pictures, row.legend)


def evaluation_pictures(segmentor: 'Segmentor', num: int, seed: int) -> Iterator[PictureRow]:
    """Photo, prediction and, where there is one, ground truth."""
    dataset = segmentor.dataset()
    names, palette = dataset.metainfo['classes'], dataset.metainfo['palette']
    for item in choose_items(dataset, num=num, seed=seed):
        image, title = read_rgb(item['img_path']), osp.splitext(osp.basename(item['img_path']))[0]
        prediction, truth = segmentor.predict(dataset[item['sample_idx']])
        maps = {'prediction': prediction, 'ground truth': truth}
        seen = np.unique(np.concatenate([one.ravel() for one in maps.values() if one is not None]))
        pictures = [Picture.from_array(image, 'photo', f'photo of {title}')]
        pictures += label_pictures(image, maps, names, palette, title)
        classes = [value - 1 for value in seen if 0 < value < len(names)]
        yield PictureRow(title, pictures, legend(classes, names[1:], palette))


def label_pictures(
    image: np.ndarray,
    maps: Mapping[str, np.ndarray | None],
    names: Sequence[str],
    palette: Sequence[Sequence[int]],
    title: str,
) -> Iterator[Picture]:
    """A picture of each label map ``(H, W)`` by caption that is not None; ``names`` starts with the background."""
    for caption, labels in maps.items():
        if labels is not None:
            shares = [(name, float((labels == value).mean())) for value, name in enumerate(names)]
            told = ', '.join(f'{name} {share:.0%}' for name, share in shares if share > 0)
            yield Picture.from_array(draw_labels(image, labels, palette), caption, f'{caption} of {title}: {told}')


class Segmentor:
    """The trained segmentation model with the test pipeline of its evaluation, test-time options included.

    Config and weights are read when it is first asked for something.

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

    def dataset(self) -> BaseDataset:
        """The images that it is evaluated on."""
        with self._scope():
            return DATASETS.build(self.cfg.test_dataloader.dataset)

    def predict_file(self, path: str) -> np.ndarray:
        """Training indices ``(H, W)`` of any image."""
        with self._scope():
            pipeline = Compose(without_masks(self.cfg.test_dataloader.dataset.pipeline))
        return self.predict(pipeline(dict(img_path=path, seg_fields=[], reduce_zero_label=False)))[0]

    @torch.inference_mode()
    def predict(self, data: dict[str, Any]) -> tuple[np.ndarray, np.ndarray | None]:
        """Training indices ``(H, W)`` of what a pipeline gives for an image: prediction and, where known, truth."""
        if self.model is None:
            device = 'cuda' if torch.cuda.is_available() else 'cpu'
            self.model = build_model(self.cfg, self.cfg.load_from, device)
        sample = self.model.test_step(pseudo_collate([data]))[0]
        truth = sample.gt_sem_seg.data[0].cpu().numpy() if 'gt_sem_seg' in sample else None
        return sample.pred_sem_seg.data[0].cpu().numpy(), truth

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
