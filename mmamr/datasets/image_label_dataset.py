"""Photographs with image-level labels, and masks to measure against where there are any."""

import os
import os.path as osp
from collections.abc import Mapping
from typing import Any

from mmengine.dataset import BaseDataset

from mmamr.fileio import MAX_LONG_SIDE, read_size
from mmamr.fileio.images import missing_image
from mmamr.registry import DATASETS, TASK_UTILS
from mmamr.structures import VOC_CLASSES
from mmamr.utils import DatasetError, track_slow

from .folder_classes import text_classes
from .labels import LabelSource
from .mask_colors import class_index_of
from .splits import FolderNames, find_name, image_suffixes, read_ids

CHECK = 'tools/dataset_converters/check_dataset.py lists all problems'


@DATASETS.register_module()
class ImageLabelDataset(BaseDataset):
    """Images of a list with image-level labels, in the layout of PASCAL VOC.

    Making the data set reads the list, two or three folder listings and the labels; no pixel is decoded. What needs
    pixels is checked when the image is met, or all at once by ``tools/dataset_converters/check_dataset.py``.

    An item before the pipeline is ``dict(img_id=str, img_path=str, gt_label=list[int], seg_map_path=str | None)``, with
    ``rotate_masks`` and ``max_long_side`` for those who read the files.

    Args:
        data_root (str): Folder of the data set, e.g. ``'data/VOCdevkit/VOC2012'``. Defaults to ''.
        split (str): List of the images, relative to ``data_root`` or absolute; see :func:`~.splits.parse_line` for its
            lines. Defaults to 'ImageSets/Segmentation/train.txt'.
        img_dir (str): Folder of the images. Defaults to 'JPEGImages'.
        img_suffix (str): Suffix of the images, or 'auto': .jpg, .jpeg, .png, .webp, .bmp, .tif or .tiff in any case,
            whichever is there, in this order. Defaults to 'auto'.
        mask_dir (str, optional): Folder of the masks ``<id>.png`` that results are measured against. Defaults to None:
            there are none.
        partial_masks (bool): Whether images without a mask are allowed; their ``seg_map_path`` is None. So CAMs of the
            10,582 images of ``train_aug`` are measured on those that ``SegmentationClass`` has. Defaults to False.
        labels (dict, optional): Label source: ``VOCXMLLabels``, ``MaskLabels``, ``CSVLabels`` or ``LabelTable``.
            Defaults to None: ``dict(type='VOCXMLLabels', ann_dir='Annotations', difficult=True)``.
        metainfo (Mapping, optional): ``classes`` and what says how masks show them, ``mask_values``, ``palette``,
            ``background_value``, ``ignore_values`` and ``mask_colors``; see :class:`ClassIndex`. ``mask_colors`` may
            also be CVAT's file of them, relative to ``data_root``; its ``labelmap.txt`` is found there. Defaults to
            None: the 20 classes of VOC.
        rotate_masks (bool): Whether the masks of ``mask_dir`` were drawn on the photos as stored, so that the EXIF
            orientation of its photo is applied to a mask, too. Defaults to False: masks fit what people see.
        max_long_side (int, optional): Larger photos are worked on at this long side in pixels; results have their own
            size all the same. None bounds nothing. Defaults to 1024.
        **kwargs: ``pipeline``, ``indices``, ``test_mode``, ``lazy_init``, ``serialize_data`` and ``max_refetch`` of
            :class:`mmengine.dataset.BaseDataset`.

    Raises:
        DatasetError: If the list, an image, a mask or a label is missing or wrong: one line with the file and the cure.
    """

    METAINFO = dict(classes=VOC_CLASSES)

    def __init__(
        self,
        data_root: str = '',
        split: str = 'ImageSets/Segmentation/train.txt',
        img_dir: str = 'JPEGImages',
        img_suffix: str = 'auto',
        mask_dir: str | None = None,
        partial_masks: bool = False,
        labels: dict | None = None,
        metainfo: Mapping | None = None,
        rotate_masks: bool = False,
        max_long_side: int | None = MAX_LONG_SIDE,
        **kwargs: Any,
    ) -> None:
        self.img_suffix = img_suffix
        self.rotate_masks = rotate_masks
        self.max_long_side = checked_long_side(max_long_side)
        self.partial_masks = partial_masks
        self.labels_cfg = dict(labels or dict(type='VOCXMLLabels'))
        self._label_source: LabelSource | None = None
        self._listings: dict[str, FolderNames] = {}
        prefix = dict(img_path=img_dir)
        if mask_dir is not None:
            prefix.update(seg_map_path=mask_dir)

        data_root = osp.expanduser(data_root)
        meta = self._load_metainfo(None if metainfo is None else text_classes(metainfo))
        self.class_index = class_index_of(meta, data_root)
        meta.update(self.class_index.metainfo())
        super().__init__(ann_file=os.fspath(split), data_root=data_root, data_prefix=prefix, metainfo=meta, **kwargs)

    @property
    def label_source(self) -> LabelSource:
        """Gives the labels of an image id; made at its first use."""
        if self._label_source is None:
            self._label_source = TASK_UTILS.build(
                self.labels_cfg, default_args=dict(class_index=self.class_index, data_root=self.data_root)
            )
        return self._label_source

    def load_data_list(self) -> list[dict]:
        """The items without what only pixels tell."""
        try:
            ids = read_ids(self.ann_file, self.has_image)
            items = [self.load_item(img_id) for img_id in track_slow(ids, osp.basename(self.ann_file))]
            if not self.label_source.lazy and not any(item['gt_label'] for item in items):
                raise no_labels(self.label_source.path, self.ann_file)
        except DatasetError as error:
            raise DatasetError(f'{error} ({CHECK})', kind=error.kind) from None
        # Neither is needed any more, and both would be copied into every worker.
        self._listings = {}
        if not self.label_source.lazy:
            self._label_source = None
        return items

    def load_item(self, img_id: str) -> dict:
        """One item; without ``gt_label`` where only pixels tell it."""
        item: dict[str, Any] = dict(
            img_id=img_id, img_path=self.find_image(img_id), seg_map_path=self.find_mask(img_id)
        )
        if not self.label_source.lazy:
            item['gt_label'] = self.label_source(img_id)
        return item

    def get_data_info(self, idx: int) -> dict:
        """Item ``idx`` before the pipeline."""
        item = super().get_data_info(idx)
        if 'gt_label' not in item:
            item['gt_label'] = self.label_source(item['img_id'])
        return dict(item, rotate_masks=self.rotate_masks, max_long_side=self.max_long_side)

    def get_cat_ids(self, idx: int) -> list[int]:
        """Labels of item ``idx``, for mmengine's ``ClassBalancedDataset``."""
        return self.get_data_info(idx)['gt_label']

    def get_image_size(self, idx: int) -> tuple[int, int]:
        """Size ``(H, W)`` of image ``idx`` in pixels, from the header of its file."""
        return read_size(BaseDataset.get_data_info(self, idx)['img_path'])

    def find_image(self, img_id: str) -> str:
        """Path of an image.

        Raises:
            DatasetError: If there is none.
        """
        folder = self.data_prefix['img_path']
        names = self._listing(folder)
        suffixes = image_suffixes(self.img_suffix)
        name = find_name(img_id, suffixes, names)
        if name is not None:
            return osp.join(folder, name)
        if not names:
            raise DatasetError(
                f'{folder}: no folder with images; set data_root and img_dir, or put the images there',
                kind='missing image',
            )
        raise missing_image(osp.join(folder, img_id + suffixes[0]), self.ann_file)

    def find_mask(self, img_id: str) -> str | None:
        """Path of a mask, None where the data set has none.

        Raises:
            DatasetError: If there is none but should be.
        """
        folder = self.data_prefix.get('seg_map_path')
        if folder is None:
            return None
        path = osp.join(folder, f'{img_id}.png')
        name = find_name(img_id, ['.png'], self._listing(folder))
        if name is not None:
            return osp.join(folder, name)
        if self.partial_masks and self._listing(folder):
            return None
        raise DatasetError(
            f'{path}: no such mask; put it there, drop {img_id} from {self.ann_file}, or set '
            'mask_dir=None or partial_masks=True',
            kind='missing mask',
        )

    def has_image(self, img_id: str) -> bool:
        """Whether there is an image of an id."""
        names = self._listing(self.data_prefix['img_path'])
        return find_name(img_id, image_suffixes(self.img_suffix), names) is not None

    def _listing(self, folder: str) -> FolderNames:
        """Names in a folder, read once."""
        if folder not in self._listings:
            self._listings[folder] = FolderNames.of(folder)
        return self._listings[folder]


def checked_long_side(max_long_side: int | None) -> int | None:
    """``max_long_side`` if it is one.

    Raises:
        ValueError: If it is no positive whole number.
    """
    if max_long_side is not None and (not isinstance(max_long_side, int) or max_long_side < 1):
        raise ValueError(f'max_long_side must be a number of pixels or None, got {max_long_side!r}')
    return max_long_side


def no_labels(source: str, split: str | os.PathLike) -> DatasetError:
    return DatasetError(
        f'{source}: none of the images in {split} has a label; check labels and classes', kind='no labels'
    )
