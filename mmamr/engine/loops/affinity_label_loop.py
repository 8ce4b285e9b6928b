from typing import Any

import numpy as np
from mmengine.evaluator import Evaluator
from torch.utils.data import DataLoader

from mmamr.datasets.class_index import ClassIndex
from mmamr.datasets.errors import DatasetError
from mmamr.datasets.images import read_mask
from mmamr.registry import LOOPS
from mmamr.utils import write_png

from .image_files_loop import ImageFilesLoop
from .output_folder import folder_digest


@LOOPS.register_module()
class AffinityLabelLoop(ImageFilesLoop):
    """Make the affinity label of each image: a palette PNG with the data set's class values and 255 where unsure.

    The labels are made by the data pipeline (``LoadImage``, ``LoadCAM``, ``MakeAffinityLabel``), so that the workers of
    the data loader share the work; the loop writes and measures. It needs no model: ``model=dict(type='NoModel')``.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): See :class:`ImageFilesLoop`; its pipeline gives ``img_id`` and
            ``affinity_label``.
        evaluator (Evaluator | dict | list): Usually ``dict(type='LabelMetric')``.
        out_dir (str, optional): Folder of the labels. Defaults to None: ``affinity_labels`` in the work folder.
    """

    name = 'affinity_labels'
    suffix = '.png'

    def __init__(
        self, runner, dataloader: DataLoader | dict, evaluator: Evaluator | dict | list, out_dir: str | None = None
    ) -> None:
        super().__init__(runner, dataloader, evaluator, out_dir)

    def settings(self) -> dict[str, Any]:
        """The pipeline and the CAMs that it reads."""
        pipeline = self.runner.cfg.test_dataloader.dataset.pipeline
        return dict(
            pipeline=str(pipeline), cams=[folder_digest(step['cam_dir']) for step in pipeline if 'cam_dir' in step]
        )

    def is_valid(self, path: str, index: int) -> bool:
        """Whether the label is whole, of the image's size and of the data set's classes."""
        return label_is_valid(path, self.dataset.class_index, self.dataset.get_image_size(index))

    def make(self, data_batch: dict) -> dict[str, np.ndarray]:
        """Labels of a batch by image id."""
        return dict(zip(data_batch['img_id'], data_batch['affinity_label']))

    def write(self, path: str, result: np.ndarray) -> None:
        """Write a label."""
        class_index = self.dataset.class_index
        write_png(path, class_index.decode_mask(result), class_index.png_palette)

    def read_sample(self, img_id: str, mask: np.ndarray) -> dict[str, Any]:
        """Label and mask, for :class:`~mmamr.evaluation.LabelMetric`."""
        return dict(label=read_mask(self.folder.path(img_id), self.dataset.class_index, mask.shape), mask=mask)


def label_is_valid(path: str, class_index: ClassIndex, size: tuple[int, int]) -> bool:
    """Whether a whole label PNG of ``size`` (H, W) stands at ``path``, with no other values than the classes'."""
    try:
        read_mask(path, class_index, size)
    except DatasetError:
        return False
    return True
