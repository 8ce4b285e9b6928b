from typing import Any

import numpy as np
from mmengine.evaluator import Evaluator
from torch.utils.data import DataLoader

from mmamr.cams import mix, read_cam, seed, upsample
from mmamr.datasets.images import read_mask
from mmamr.registry import LOOPS
from mmamr.utils import InputError, write_png

from .affinity_label_loop import label_is_valid
from .image_files_loop import ImageFilesLoop
from .output_folder import folder_digest


@LOOPS.register_module()
class CAMLabelLoop(ImageFilesLoop):
    """Make pseudo labels straight from CAMs, by a background threshold: no affinities, no walk.

    It needs neither model nor pixels: ``model=dict(type='NoModel')`` and a pipeline that keeps ``img_id``. One palette
    PNG with the data set's class values for each image of the split, in VOC's layout.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): See :class:`ImageFilesLoop`; its pipeline gives ``img_id``.
        evaluator (Evaluator | dict | list): Usually ``CAMMetric``, which sweeps the threshold, and ``LabelMetric``.
        cam_dir (str): Folder of the CAM files.
        threshold (float): Background threshold of the labels, in [0, 1]. Defaults to 0.2 (row C6).
        xi (float): Recalibration coefficient ξ (eq. 2). Defaults to 0.5.
        out_dir (str, optional): Folder of the PNGs. Defaults to None: ``SegmentationClassPseudo`` in the work folder.
    """

    name = 'SegmentationClassPseudo'
    suffix = '.png'

    def __init__(
        self,
        runner,
        dataloader: DataLoader | dict,
        evaluator: Evaluator | dict | list,
        cam_dir: str,
        threshold: float = 0.2,
        xi: float = 0.5,
        out_dir: str | None = None,
    ) -> None:
        super().__init__(runner, dataloader, evaluator, out_dir)
        if not 0 <= threshold <= 1:
            raise ValueError(f'threshold must be in [0, 1], but got {threshold}')
        self.cam_dir = cam_dir
        self.threshold = threshold
        self.xi = xi

    def settings(self) -> dict[str, Any]:
        """The CAMs and how they become labels."""
        return dict(cams=folder_digest(self.cam_dir), threshold=self.threshold, xi=self.xi)

    def is_valid(self, path: str, index: int) -> bool:
        """Whether the label is whole, of the image's size and of the data set's classes."""
        return label_is_valid(path, self.dataset.class_index, self.dataset.get_image_size(index))

    def make(self, data_batch: dict) -> dict[str, np.ndarray]:
        """Labels of a batch by image id."""
        labels = {}
        for img_id in data_batch['img_id']:
            cam = read_cam(self.cam_path(img_id))
            labels[img_id] = seed(upsample(mix(cam, self.xi), cam.size), cam.classes, self.threshold)
        return labels

    def write(self, path: str, result: np.ndarray) -> None:
        """Write a label."""
        class_index = self.dataset.class_index
        write_png(path, class_index.decode_mask(result), class_index.png_palette)

    def read_sample(self, img_id: str, mask: np.ndarray) -> dict[str, Any]:
        """CAM, label and mask, for :class:`~mmamr.evaluation.CAMMetric` and :class:`~mmamr.evaluation.LabelMetric`."""
        cam = read_cam(self.cam_path(img_id))
        if cam.size != mask.shape:
            raise InputError(
                f'{self.cam_path(img_id)} was made of an image of {cam.size}, but the image has '
                f'{mask.shape}: make the CAMs of this data set again'
            )
        label = read_mask(self.folder.path(img_id), self.dataset.class_index, mask.shape)
        return dict(cam=cam, label=label, mask=mask)

    def cam_path(self, img_id: str) -> str:
        """The CAM file of an image."""
        return f'{self.cam_dir}/{img_id}.npz'
