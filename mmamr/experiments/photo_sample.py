"""Photos and tags as somebody might have them, drawn from a data set with masks."""

import csv
import os
import os.path as osp
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmamr.datasets import ImageLabelDataset
from mmamr.datasets.photo_folder import read_layout
from mmamr.evaluation import LabelMetric
from mmamr.fileio import LabelFolder, read_truth
from mmamr.structures import ClassIndex
from mmamr.utils import InputError, atomic_write

DRAWN = 'drawn'
"""Written last: a folder without it was left on the way."""


@dataclass
class PhotoSample:
    """A draw of photos: some with tags to train with, and new ones whose masks are to be predicted.

    ::

        folder/
            photos/<id>.jpg, tags.csv    to train with
            new/<id>.jpg                 new photos
            more/<id>.jpg                more of them
            masks/<id>.png               of all photos, to measure against

    Args:
        folder (str): Where they go.
        seed (int): Of the draw.
        data_root (str): A data set with masks in VOC's layout; training photos are of its list ``train``, new ones of
            its list ``val``.
        metainfo (Mapping): Its classes and their values in masks.
        classes (Sequence[str]): The classes of the sample; photos that show others are left out.
        sizes (Mapping[str, int]): How many photos go into ``photos``, ``new`` and ``more``. Of each class there are as
            many as of any other, as far as the photos show one class each.
    """

    folder: str
    seed: int
    data_root: str
    metainfo: Mapping[str, Any]
    classes: Sequence[str]
    sizes: Mapping[str, int]

    @property
    def truth(self) -> LabelFolder:
        """The masks."""
        return LabelFolder(self.path('masks'), ClassIndex(self.classes))

    def path(self, *names: str) -> str:
        """A file or folder of the sample."""
        return osp.join(self.folder, *names)

    def ids(self, part: str) -> list[str]:
        """The photos of a part."""
        stems = [osp.splitext(name) for name in os.listdir(self.path(part))]
        return sorted(stem for stem, suffix in stems if suffix != '.csv')

    def draw(self) -> None:
        """Draw the photos, unless they are there.

        Raises:
            InputError: If the data set has not so many.
        """
        if osp.isfile(self.path(DRAWN)):
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.path('masks'))
        rng = np.random.default_rng(self.seed)
        for split, parts in (('train', ('photos',)), ('val', ('new', 'more'))):
            dataset = ImageLabelDataset(
                data_root=self.data_root,
                split=f'ImageSets/Segmentation/{split}.txt',
                mask_dir='SegmentationClass',
                labels=dict(type='MaskLabels'),
                metainfo=self.metainfo,
            )
            items = (dataset.get_data_info(int(index)) for index in rng.permutation(len(dataset)))
            for part in parts:
                self._take(items, part, dataset.class_index)
        with atomic_write(self.path(DRAWN)):
            pass

    def _take(self, items: Iterable[dict], part: str, source: ClassIndex) -> None:
        """Copy the first photos that fit, and their masks, into a part of the sample."""
        os.makedirs(self.path(part))
        counts = dict.fromkeys(self.classes, 0)
        rows: list[tuple[str, str]] = []
        for item in items:
            if len(rows) == self.sizes[part]:
                break
            names = [source.classes[label] for label in item['gt_label']]
            share = self.sizes[part] / len(self.classes)
            if not names or not set(names) <= set(self.classes):
                continue
            # where photos show several classes, all have their share before there are as many photos
            if min(counts[name] for name in names) >= share > min(counts.values()):
                continue
            for name in names:
                counts[name] += 1
            mask = read_truth(item, source)
            assert mask is not None  # the data set has masks
            values = np.zeros(256, dtype=np.uint8)
            values[255] = 255
            for name in names:
                values[source.classes.index(name) + 1] = self.classes.index(name) + 1
            shutil.copy(item['img_path'], self.path(part))
            self.truth.write(item['img_id'], values[mask])
            rows.append((osp.basename(item['img_path']), ';'.join(names)))
        if len(rows) < self.sizes[part]:
            raise InputError(
                f'{self.data_root} has {len(rows)} photos of {", ".join(self.classes)} for {part}, but '
                f'{self.sizes[part]} are wanted: name another --data-root'
            )
        if part == 'photos':
            with atomic_write(self.path(part, 'tags.csv'), 'w', encoding='utf-8') as file:
                csv.writer(file).writerows([('image', 'label'), *rows])

    def measure(self, label_dir: str, layout_dir: str, ids: Sequence[str]) -> float:
        """mIoU in % of masks that a pipeline made.

        Args:
            label_dir (str): Their folder.
            layout_dir (str): Where the pipeline laid the photos out, which says what the values of the masks mean.
            ids (Sequence[str]): The photos.

        Raises:
            InputError: If the pipeline saw other classes, or a mask is missing.
        """
        found = read_layout(layout_dir)
        if found is None or set(found[0].classes) != set(self.classes):
            raise InputError(f'{layout_dir} is not laid out with the classes {", ".join(self.classes)}')
        classes = found[0].classes
        labels = LabelFolder(label_dir, ClassIndex(classes, found[0].mask_values))
        values = np.arange(256, dtype=np.uint8)
        values[1 : len(classes) + 1] = [self.classes.index(name) + 1 for name in classes]
        metric = LabelMetric()
        metric.dataset_meta = dict(classes=tuple(self.classes))
        for img_id in ids:
            mask = self.truth.read(img_id)
            metric.process(None, [dict(label=values[labels.read(img_id, mask.shape)], mask=mask)])
        return metric.evaluate(len(ids))['label/mIoU']
