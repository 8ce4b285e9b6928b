"""Photographs with masks for the models of mmseg, from the lists and class indices of the other stages."""

import os
import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

from mmcv.transforms import BaseTransform
from mmseg.datasets import BaseSegDataset

from mmamr.fileio import read_mask
from mmamr.registry import DATASETS, TRANSFORMS
from mmamr.structures import VOC_CLASSES, ClassIndex
from mmamr.utils import DatasetError

from .folder_classes import text_classes
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
        metainfo (Mapping, optional): ``classes`` and, where they differ from 1 to K and VOC's colours, ``mask_values``
            and ``palette``; see :class:`~mmamr.structures.ClassIndex`. Defaults to None: the 20 classes of VOC.
        img_suffix (str): Suffix of the images, or 'auto' as for :class:`ImageLabelDataset`. Defaults to 'auto'.
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
        **kwargs: Any,
    ) -> None:
        meta = text_classes(metainfo or dict(classes=VOC_CLASSES))
        self.class_index = ClassIndex(meta['classes'], meta.get('mask_values'), meta.get('palette'))
        prefix = dict(kwargs.pop('data_prefix', None) or dict(img_path=img_dir, seg_map_path=mask_dir))
        if label_dir is not None:
            prefix['seg_map_path'] = osp.abspath(label_dir)
        prefix = {name: folder for name, folder in prefix.items() if folder is not None}
        if split is not None:
            kwargs['ann_file'] = os.fspath(split)
        if kwargs.get('data_root'):
            kwargs['data_root'] = osp.expanduser(kwargs['data_root'])
        super().__init__(
            data_prefix=prefix,
            img_suffix=img_suffix,
            metainfo=dict(
                classes=('background', *self.class_index.classes),
                palette=self.class_index.palette.tolist(),
                mask_values=(ClassIndex.BACKGROUND, *self.class_index.mask_values),
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
        return items

    def get_data_info(self, idx: int) -> dict:
        """Item ``idx`` before the pipeline, with the ``class_index`` that :class:`LoadMask` reads masks by."""
        return dict(super().get_data_info(idx), class_index=self.class_index)

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
    - ori_shape (tuple): Size ``(H, W)`` of the image, which the mask must have too.
    - seg_fields

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
        results['gt_seg_map'] = read_mask(results['seg_map_path'], results['class_index'], results['ori_shape'])
        results['seg_fields'].append('gt_seg_map')
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
