"""Photographs with masks for the models of mmseg, from the lists and class indices of the other stages."""

import os
import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
from mmcv.transforms import BaseTransform
from mmseg.datasets import BaseSegDataset

from mmamr.fileio import MAX_LONG_SIDE, read_mask
from mmamr.registry import DATASETS, TASK_UTILS, TRANSFORMS
from mmamr.structures import VOC_CLASSES
from mmamr.utils import DatasetError

from .folder_classes import text_classes
from .image_label_dataset import checked_long_side
from .labels import LabelSource
from .mask_colors import class_index_of
from .splits import FolderNames, find_name, image_suffixes, read_ids


@DATASETS.register_module()
class SegmentationDataset(BaseSegDataset):
    """Images of a list with one mask each, in the layout of PASCAL VOC.

    What mmseg's ``PascalVOCDataset`` is for the 20 classes of VOC, this is for any classes, named once as the other
    stages name them: foreground only, with the values that they have in the mask files. Masks are read by
    :class:`LoadMask`. Whether they were drawn by hand or made by the pseudo-label stage is a matter of ``label_dir``
    alone; all other arguments are those of :class:`ImageLabelDataset`.

    Args:
        split (str, optional): List of the images, relative to ``data_root`` or absolute. Defaults to None: that of
            ``ann_file``, as mmseg calls it.
        img_dir (str): Folder of the images. Defaults to 'JPEGImages'.
        mask_dir (str, optional): Folder of the masks ``<id>.png``. Defaults to 'SegmentationClass';
            None: there are none.
        label_dir (str, optional): Folder of labels in the place of the masks, such as pseudo labels, relative to where
            the run was started, not to ``data_root``. Defaults to None.
        metainfo (Mapping, optional): ``classes`` and what says how masks show them, as for :class:`ImageLabelDataset`.
            Defaults to None: the 20 classes of VOC.
        img_suffix (str): Suffix of the images, or 'auto' as for :class:`ImageLabelDataset`. Defaults to 'auto'.
        labels (dict, optional): Label source of the image-level labels, as for :class:`ImageLabelDataset`; each item
            then has them as ``tags``, counted from 0 without background. Defaults to None: there are none.
        rotate_masks (bool): Whether the masks of ``mask_dir``, not those of ``label_dir``, were drawn on the photos as
            stored, so that the EXIF orientation of its photo is applied to a mask, too. Defaults to False.
        max_long_side (int, optional): Larger photos are worked on at this long side in pixels. A pipeline with random
            steps, which trains, gets masks of that size, too; another one measures at the photos' own size. None bounds
            nothing. Defaults to 1024.
        **kwargs: Of :class:`mmseg.datasets.BaseSegDataset`, e.g. ``data_root``; ``ann_file`` and
            ``data_prefix=dict(img_path=…, seg_map_path=…)`` take the place of ``split``, ``img_dir`` and ``mask_dir``.

    Raises:
        DatasetError: If the list, an image or a mask is missing: one line with the file and the cure.
    """

    def __init__(
        self,
        split: str | None = None,
        img_dir: str = 'JPEGImages',
        mask_dir: str | None = 'SegmentationClass',
        label_dir: str | None = None,
        metainfo: Mapping | None = None,
        img_suffix: str = 'auto',
        labels: dict | None = None,
        rotate_masks: bool = False,
        max_long_side: int | None = MAX_LONG_SIDE,
        **kwargs: Any,
    ) -> None:
        data_root = osp.expanduser(kwargs.get('data_root') or '')
        self.class_index = class_index_of(text_classes(metainfo or dict(classes=VOC_CLASSES)), data_root)
        self.max_long_side = checked_long_side(max_long_side)
        self.rotate_masks = rotate_masks and label_dir is None
        self.label_source: LabelSource | None = None
        if labels is not None:
            self.label_source = TASK_UTILS.build(
                # our names, also where a config of mmseg is run
                dict(_scope_='mmamr', **labels),
                default_args=dict(class_index=self.class_index, data_root=data_root),
            )
        steps = [step for step in kwargs.get('pipeline') or () if isinstance(step, Mapping)]
        self.trains = any('Random' in str(step.get('type')) for step in steps)
        prefix = dict(kwargs.pop('data_prefix', None) or dict(img_path=img_dir, seg_map_path=mask_dir))
        if label_dir is not None:
            prefix['seg_map_path'] = osp.abspath(label_dir)
        prefix = {name: folder for name, folder in prefix.items() if folder is not None}
        if split is not None:
            kwargs['ann_file'] = os.fspath(split)
        if data_root:
            kwargs['data_root'] = data_root
        super().__init__(
            data_prefix=prefix,
            img_suffix=img_suffix,
            metainfo=dict(
                classes=('background', *self.class_index.classes),
                palette=self.class_index.palette.tolist(),
                mask_values=(self.class_index.background_value, *self.class_index.mask_values),
            ),
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """The items of the list."""
        names, suffixes = FolderNames.of(self.data_prefix['img_path']), image_suffixes(self.img_suffix)
        ids = read_ids(self.ann_file, lambda img_id: find_name(img_id, suffixes, names) is not None)
        images = self._find(ids, 'img_path', suffixes)
        items = [
            dict(img_id=img_id, img_path=path, seg_fields=[], reduce_zero_label=False)
            for img_id, path in zip(ids, images)
        ]
        if self.data_prefix.get('seg_map_path'):
            for item, path in zip(items, self._find(ids, 'seg_map_path', [self.seg_map_suffix])):
                item['seg_map_path'] = path
        if self.label_source is not None and not self.label_source.lazy:
            for img_id, item in zip(ids, items):
                item['tags'] = self.label_source(img_id)
            self.label_source = None  # not needed any more, and it would be copied into every worker
        return items

    def get_data_info(self, idx: int) -> dict:
        """Item ``idx`` before the pipeline, with what photo and mask are read by."""
        item = super().get_data_info(idx)
        if self.label_source is not None:
            item['tags'] = self.label_source(item['img_id'])
        return dict(
            item,
            class_index=self.class_index,
            rotate_masks=self.rotate_masks,
            max_long_side=self.max_long_side,
            fit_mask=self.trains,
        )

    def _find(self, ids: list[str], key: str, suffixes: Sequence[str]) -> list[str]:
        folder = self.data_prefix[key]
        names = FolderNames.of(folder)
        found: list[str] = []
        missing: list[str] = []
        for img_id in ids:
            name = find_name(img_id, suffixes, names)
            if name is None:
                missing.append(img_id)
            else:
                found.append(osp.join(folder, name))
        if missing:
            what, setting = ('image', 'img_dir') if key == 'img_path' else ('mask', 'mask_dir or label_dir')
            raise DatasetError(
                f'{osp.join(folder, missing[0] + suffixes[0])}: no such {what}, {len(missing)} of the {len(ids)} in '
                f'{self.ann_file} have none; make them or set data_root and {setting}',
                kind=f'missing {what}',
            )
        return found


@TRANSFORMS.register_module()
class LoadMask(BaseTransform):
    """Load the mask of a :class:`SegmentationDataset` as training indices, where mmseg has ``LoadAnnotations``.

    An image of a data set without masks passes unchanged.

    Required Keys:

    - seg_map_path (optional)
    - class_index (ClassIndex)
    - ori_shape (tuple): Size ``(H, W)`` of the photo, which the mask must have too.
    - seg_fields
    - rotate_masks, fit_mask (bool, optional): Whether the mask is turned as its photo, and whether it is made smaller
      with a photo that :class:`LoadImage` made smaller, which training needs.

    Added Keys:

    - gt_seg_map (np.ndarray): uint8 of shape ``(H, W)``: 0 background, 1 to K, 255 ignored.
    """

    def transform(self, results: dict) -> dict:
        """Load the mask.

        Raises:
            DatasetError: If the mask is missing, broken, of another size or has a value that no class has.
        """
        if 'seg_map_path' not in results:
            return results
        mask = read_mask(
            results['seg_map_path'],
            results['class_index'],
            results['ori_shape'],
            results.get('img_path'),
            results.get('rotate_masks', False),
        )
        bounded = results.get('bounded_shape')
        if results.get('fit_mask') and bounded is not None and mask.shape != bounded:
            mask = cv2.resize(mask, bounded[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        results['gt_seg_map'] = mask
        results['seg_fields'].append('gt_seg_map')
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
