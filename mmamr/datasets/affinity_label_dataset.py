"""Photographs with the affinity labels that were made of their CAMs."""

import os.path as osp
from typing import Any

from mmamr.registry import DATASETS
from mmamr.utils import DatasetError

from .image_label_dataset import ImageLabelDataset


@DATASETS.register_module()
class AffinityLabelDataset(ImageLabelDataset):
    """The images of an :class:`ImageLabelDataset`, with affinity labels in the place of masks.

    Affinity labels are PNG files ``<id>.png`` with the mask values of the data set and 255 where nothing is sure.
    Image-level labels are the classes in them.

    An item before the pipeline also has ``class_index``, ``seg_fields`` and ``fit_mask``, by which :class:`LoadMask`
    reads the label.

    Args:
        label_dir (str): Folder of the affinity labels, relative to where the run was started, not to ``data_root``.
        **kwargs: Those of :class:`ImageLabelDataset`, without ``mask_dir``, ``labels`` and ``rotate_masks``.

    Raises:
        DatasetError: If an image has no affinity label.
    """

    def __init__(self, label_dir: str, **kwargs: Any) -> None:
        self.label_dir = label_dir
        folder = osp.abspath(label_dir)
        super().__init__(mask_dir=folder, labels=dict(type='MaskLabels', mask_dir=folder), rotate_masks=False, **kwargs)

    def find_mask(self, img_id: str) -> str | None:
        """Path of an affinity label; None where ``partial_masks`` allows that there is none."""
        try:
            return super().find_mask(img_id)
        except DatasetError:
            path = osp.join(self.label_dir, f'{img_id}.png')
            raise DatasetError(
                f'{path}: no such affinity label; make them by tools/test.py with the config of the affinity label '
                'stage, or set label_dir',
                kind='missing affinity label',
            ) from None

    def get_data_info(self, idx: int) -> dict:
        """Item ``idx`` before the pipeline."""
        return dict(super().get_data_info(idx), class_index=self.class_index, seg_fields=[], fit_mask=True)
