from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.dist import get_dist_info
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmamr.fileio import LabelFolder, folder_digest
from mmamr.structures import CAM
from mmamr.utils import check_number, share_work
from mmamr.visualization import Row, label_rows

from .image_files_loop import ImageFilesLoop


class LabelLoop(ImageFilesLoop):
    """An :class:`ImageFilesLoop` that makes a label map of each CAM.

    It needs no network: ``model=dict(type='NoModel')``. ``test_dataloader.num_workers`` processes share the work; the
    data pipeline is not used.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): Data loader over an :class:`~mmamr.datasets.ImageLabelDataset`.
        evaluator (Evaluator | dict | list): Metrics over the files, usually ``dict(type='LabelMetric')``.
        cam_dir (str): Folder of the CAM files.
        xi (float): Recalibration coefficient ξ (eq. 2). Defaults to 0.5.
        out_dir (str, optional): Folder of the labels. Defaults to None: :attr:`name` in the work folder.
        redo (bool): See :class:`ImageFilesLoop`. Defaults to False.

    Raises:
        InputError: If ``cam_dir`` is None.
    """

    files: LabelFolder

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict,
        evaluator: Evaluator | dict | list,
        cam_dir: str | None = None,
        xi: float = 0.5,
        out_dir: str | None = None,
        redo: bool = False,
    ) -> None:
        super().__init__(runner, dataloader, evaluator, out_dir, redo)
        self.cams = self.open_cams(cam_dir)
        check_number('xi', xi, 0, 1)
        self.xi = xi

    def open_folder(self, folder: str) -> LabelFolder:
        """Label PNGs."""
        return LabelFolder(folder, self.dataset.class_index)

    @abstractmethod
    def label(self, cam: CAM, img_path: str) -> np.ndarray:
        """Label map ``(H, W)`` of one image: 0 background, c + 1 foreground, 255 unsure.

        Args:
            cam (CAM): Its CAM.
            img_path (str): The photo.
        """

    def label_of(self, item: dict[str, Any], cam: CAM) -> np.ndarray:
        """:meth:`label` of an item of the data set."""
        return self.label(cam, item['img_path'])

    def settings(self) -> dict[str, Any]:
        """The CAMs; subclasses add how they become labels."""
        return dict(cams=folder_digest(self.cams.folder), xi=self.xi)

    def make_files(self, pending: Sequence[int]) -> None:
        """Make the labels of these images of the data set; each process its part."""
        rank, world_size = get_dist_info()

        def make(part: Sequence[int], advance: Callable[[], None]) -> None:
            for index in part:
                item = BaseDataset.get_data_info(self.dataset, index)
                cam = self.cams.read(item['img_id'], self.dataset.get_image_size(index))
                self.files.write(item['img_id'], self.label_of(item, cam))
                advance()

        share_work(make, list(pending)[rank::world_size], self.dataloader.num_workers, self.name)

    def read_sample(self, img_id: str, mask: np.ndarray) -> dict[str, Any]:
        """CAM, label and mask, for :class:`~mmamr.evaluation.CAMMetric` and :class:`~mmamr.evaluation.LabelMetric`."""
        label = self.files.read(img_id, mask.shape)
        return dict(cam=self.cams.read(img_id, mask.shape), label=label, mask=mask)

    def rows(self, items: Sequence[dict[str, Any]]) -> list[Row]:
        """Image, CAM or walk, label and ground truth."""
        return label_rows(self.dataset, self.out_dir, items, self.cams.folder, self.xi)
