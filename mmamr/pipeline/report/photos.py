"""What the stages of a pipeline made of single photos, as pictures (Fig. 5)."""

import os.path as osp
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import DefaultScope

from mmamr.cams import certainty, mix
from mmamr.datasets import ImageLabelDataset, init_dataset
from mmamr.evaluation import image_iou
from mmamr.fileio import CAMFolder, LabelFolder, read_rgb, read_truth
from mmamr.registry import DATASETS
from mmamr.structures import CAM
from mmamr.utils import InputError, failure_line
from mmamr.visualization import legend, strongest

from .choice import Rating
from .pictures import Layer, PictureRow
from .segmentor import Segmentor
from .stage_config import filled_folder, stage_config
from .work_folder import StageFiles

SMALLEST_SHARE = 0.005
"""Of the pixels that a class of a label or prediction must have to be named."""
PSEUDO, PREDICTION, TRUTH = 'pseudo label', 'prediction', 'ground truth'


class Photos(ABC):
    """The photos of a data set, and what is known of each."""

    dataset: BaseDataset
    titles: tuple[str, str, str]
    """Of the least certain, of random ones, of those of the lowest IoU."""
    measured: str
    """What the IoU is of."""
    names: Sequence[str]
    """Of the foreground classes."""
    palette: Sequence[Sequence[int]]
    """Of the background and these."""
    problem = ''
    """What could not be shown."""

    @abstractmethod
    def rating(self, index: int) -> Rating:
        """Rate photo ``index`` by what lies on disk."""

    @abstractmethod
    def row(self, index: int) -> PictureRow:
        """The pictures of photo ``index``."""

    def add_labels(self, row: PictureRow, maps: dict[str, np.ndarray | None], tags: Sequence[int] = ()) -> None:
        """Add a layer for each label map ``(H, W)`` that is there, the legend, and how far label and prediction agree.

        Args:
            row (PictureRow): The row to add to.
            maps (dict): By caption.
            tags (Sequence[int]): Image-level labels, counted from 0. Defaults to none.
        """
        there = {caption: labels for caption, labels in maps.items() if labels is not None}
        seen = set(tags)
        for caption, labels in there.items():
            values, counts = np.unique(labels, return_counts=True)
            shares = {int(value): count / labels.size for value, count in zip(values, counts)}
            seen.update(
                value - 1 for value, share in shares.items() if 0 < value <= len(self.names) and share > SMALLEST_SHARE
            )
            told = ', '.join(f'{self._name(value)} {share:.0%}' for value, share in shares.items())
            iou = None if caption == TRUTH else _iou(labels, there.get(TRUTH))
            title = caption if iou is None else f'{caption}, IoU {iou:.0f} %'
            row.layers.append(Layer.from_labels(labels, self.palette, title, f'{caption} of {row.title}: {told}'))
        row.legend = legend(sorted(seen), self.names, self.palette)
        agreement = _iou(there.get(PSEUDO), there.get(PREDICTION))
        if agreement is not None:
            row.facts.append(f'label and prediction: IoU {agreement:.0f} %')

    def _name(self, value: int) -> str:
        return 'background' if value == 0 else 'unsure' if value > len(self.names) else self.names[value - 1]


class TrainingPhotos(Photos):
    """The photos that CAMs and labels were made of.

    Args:
        stages (Sequence[StageFiles]): All stages.
        cam (StageFiles, optional): The stage that made CAMs.
        labels (StageFiles, optional): The stage that made pseudo labels, of these CAMs or of others.
        segmentor (Segmentor, optional): The model that learned from the labels.

    Raises:
        InputError: If a setting or folder is not known.
    """

    titles = ('Least certain photos', 'Random photos', 'Photos of the lowest IoU')
    measured = 'pseudo labels'

    def __init__(
        self,
        stages: Sequence[StageFiles],
        cam: StageFiles | None,
        labels: StageFiles | None,
        segmentor: Segmentor | None,
    ) -> None:
        source = cam or labels
        if source is None:
            raise ValueError('photos need a stage that made CAMs or labels')
        self.segmentor = segmentor
        self.dataset: ImageLabelDataset = image_label_dataset(stage_config(source, stages))
        self.names, self.palette = self.dataset.metainfo['classes'], self.dataset.metainfo['palette']
        options: dict[str, Any] = {}
        self.labels: LabelFolder | None = None
        # a label is as certain as the scores that it was made of
        scores = None if cam is None else filled_folder(cam)
        if labels is not None:
            settings = stage_config(labels, stages).test_cfg
            options = {name: settings[name] for name in ('threshold', 'xi', 'power', 'unsure') if name in settings}
            if options.get('threshold') == 'auto':
                options['threshold'] = labels.record['metrics'].get('threshold', 0.2)  # the one that was chosen
            scores = settings.get('cam_dir') or scores
            self.labels = LabelFolder(filled_folder(labels), self.dataset.class_index)
        self.options = options
        self.xi = options.get('xi', 0.5)
        self.scores = self._open(scores)
        cams = None if cam is None else filled_folder(cam)
        self.cams = self._open(cams)
        self.other_scores = scores != cams

    def _open(self, folder: str | None) -> CAMFolder | None:
        return None if folder is None else CAMFolder(folder, self.dataset.class_index.num_classes)

    def rating(self, index: int) -> Rating:
        """The certainty of its scores, and the IoU of its pseudo label."""
        item = self.dataset.get_data_info(index)
        sure = None if self.scores is None else certainty(self.scores.read(item['img_id']), **self.options)
        iou = None
        if self.labels is not None and item.get('seg_map_path'):
            truth = read_truth(item, self.dataset.class_index)
            iou = None if truth is None else image_iou(self.labels.read(item['img_id'], truth.shape), truth)
        return Rating(index, item['gt_label'], sure, iou)

    def row(self, index: int) -> PictureRow:
        """Photo, weighted CAM, pseudo label, prediction and ground truth; then, smaller, the branches and the walk."""
        item = self.dataset.get_data_info(index)
        img_id, image = item['img_id'], read_rgb(item['img_path'])
        size = image.shape[:2]
        row = PictureRow.from_photo(img_id, image)
        cam = None if self.cams is None else self.cams.read(img_id, size)
        scores = None if self.scores is None else self.scores.read(img_id, size)
        if scores is not None:
            row.facts.append(f'certainty: {100 * certainty(scores, **self.options):.0f} %')
        shown = [] if cam is None else self._layers(cam, img_id)
        if scores is not None and self.other_scores:
            shown += self._layers(scores, img_id)[:1]
        row.layers, minor = shown[:1], shown[1:]
        maps = {
            PSEUDO: None if self.labels is None else self.labels.read(img_id, size),
            PREDICTION: self._prediction(item['img_path'], size),
            TRUTH: read_truth(item, self.dataset.class_index),
        }
        self.add_labels(row, maps, item['gt_label'])
        # one line of pictures is not split
        many = len(row.layers) + len(minor) > 3
        for layer in minor:
            layer.minor = many
        row.layers += minor
        return row

    def _prediction(self, path: str, size: tuple[int, int]) -> np.ndarray | None:
        """What the model says of a photo; None of all after the first that it cannot say anything of."""
        try:
            return None if self.segmentor is None else self.segmentor.prediction(path, size)
        except (InputError, FileNotFoundError) as error:
            self.problem = f'No predictions: {failure_line(error) or error}'
            self.segmentor = None
            return None

    def _layers(self, cam: CAM, img_id: str) -> list[Layer]:
        """The map that counts, and where it is a mixture of branches, these."""
        if set(cam.maps) == {'spotlight', 'compensation'}:
            maps = {f'weighted CAM, ξ = {self.xi:g}': mix(cam, self.xi)}
            maps.update({name: cam.maps[name] for name in ('spotlight', 'compensation')})
        else:
            titles = {'walk': 'random walk', 'spotlight': 'CAM', 'foreground': 'spread CAM'}
            maps = {titles.get(name, name): one for name, one in cam.maps.items()}
        told = ', '.join(self.names[index] for index in cam.classes) or 'no class'
        return [
            Layer.from_scores(strongest(one, cam.classes), caption, f'{caption} of {img_id}: {told}')
            for caption, one in maps.items()
        ]


class EvaluationPhotos(Photos):
    """The photos that a segmentation model was evaluated on, which it was not trained on.

    Args:
        segmentor (Segmentor): The model and what it predicted.
    """

    titles = ('Least certain validation photos', 'Random validation photos', 'Validation photos of the lowest IoU')
    measured = 'predictions'

    def __init__(self, segmentor: Segmentor) -> None:
        self.segmentor = segmentor
        self.dataset = segmentor.dataset
        self.names, self.palette = self.dataset.metainfo['classes'][1:], self.dataset.metainfo['palette']

    def rating(self, index: int) -> Rating:
        """The IoU of its prediction, where the evaluation wrote it and there is a mask."""
        written = self.segmentor.written(self.dataset.get_data_info(index)['img_path'])
        truth = None if written is None else self.segmentor.truth(index)
        return Rating(index, iou=None if written is None or truth is None else image_iou(written, truth))

    def row(self, index: int) -> PictureRow:
        """Photo, prediction and, where there is one, ground truth."""
        path = self.dataset.get_data_info(index)['img_path']
        image = read_rgb(path)
        row = PictureRow.from_photo(osp.splitext(osp.basename(path))[0], image)
        prediction = self.segmentor.prediction(path, image.shape[:2])
        self.add_labels(row, {PREDICTION: prediction, TRUTH: self.segmentor.truth(index)})
        return row


def _iou(label: np.ndarray | None, truth: np.ndarray | None) -> float | None:
    return None if label is None or truth is None else image_iou(label, truth)


def image_label_dataset(cfg: Config) -> ImageLabelDataset:
    """The data set of a stage that makes CAMs or labels; nothing else is built.

    Raises:
        InputError: If the stage has another data set.
    """
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmamr')):
        cls = DATASETS.get(cfg.test_dataloader.dataset.type)
    if not issubclass(cls, ImageLabelDataset):
        raise InputError(f'{cls.__name__} has no image-level labels, so there are no CAMs to look at')
    return init_dataset(cfg)
