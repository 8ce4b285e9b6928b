from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dist import barrier, get_dist_info
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop
from torch import nn
from torch.utils.data import DataLoader

from mmamr.datasets.images import read_mask, read_size
from mmamr.evaluation.files import process_files
from mmamr.utils import track

from .output_folder import OutputFolder


class ImageFilesLoop(BaseLoop):
    """A test loop that writes one file an image, and then measures the files.

    Whole files are skipped, broken and missing ones made (again); files are written whole. A run that was killed at any
    moment ends with the same bytes when it is started again, under any number of processes: the batches are planned
    over the whole data set by :class:`~mmamr.datasets.SameSizeBatchSampler`, and a planned batch with one missing file
    is computed whole.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): Data loader over an :class:`~mmamr.datasets.ImageLabelDataset` with
            ``batch_sampler=dict(type='SameSizeBatchSampler')``.
        evaluator (Evaluator | dict | list): Metrics over the files; used where the data set has masks.
        out_dir (str, optional): Folder of the files. Defaults to None: :attr:`name` in the work folder.
    """

    name: str
    """What the files are called in folders and logs, e.g. ``'cams'``."""
    suffix: str
    """Of the files."""

    def __init__(
        self, runner, dataloader: DataLoader | dict, evaluator: Evaluator | dict | list, out_dir: str | None = None
    ) -> None:
        super().__init__(runner, dataloader)
        self.dataset = self.dataloader.dataset
        if not hasattr(self.dataloader.batch_sampler, 'pending'):
            raise ValueError(
                f"{type(self).__name__} needs batch_sampler=dict(type='SameSizeBatchSampler') in its "
                f'dataloader, but got {type(self.dataloader.batch_sampler).__name__}'
            )
        self.evaluator = evaluator if isinstance(evaluator, Evaluator) else runner.build_evaluator(evaluator)
        self.evaluator.dataset_meta = self.dataset.metainfo
        self.out_dir = out_dir or f'{runner.work_dir}/{self.name}'

    @classmethod
    def default_out_dir(cls, work_dir: str) -> str:
        """The folder that ``out_dir`` means where it is None."""
        return f'{work_dir}/{cls.name}'

    @property
    def model(self) -> nn.Module:
        """The model without its distributed wrapper."""
        return self.runner.model.module if is_model_wrapper(self.runner.model) else self.runner.model

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What the files depend on, for :class:`OutputFolder`."""

    @abstractmethod
    def is_valid(self, path: str, index: int) -> bool:
        """Whether the file of an image is whole."""

    @abstractmethod
    def make(self, data_batch: dict) -> dict[str, Any]:
        """Results of a batch by image id."""

    @abstractmethod
    def write(self, path: str, result: Any) -> None:
        """Write the file of one image whole."""

    @abstractmethod
    def read_sample(self, img_id: str, mask: np.ndarray) -> dict[str, Any]:
        """What the metrics see of one image's file and mask."""

    def run(self) -> dict[str, float]:
        """Make what is missing, then measure.

        Returns:
            dict[str, float]: The metrics; empty without masks.
        """
        runner = self.runner
        runner.call_hook('before_test')
        runner.call_hook('before_test_epoch')
        runner.model.eval()
        self.folder = OutputFolder(self.out_dir, self.suffix, self.settings())
        self.folder.prepare()
        self.make_missing()
        metrics = self.measure()
        runner.call_hook('after_test_epoch', metrics=metrics)
        runner.call_hook('after_test')
        return metrics

    def make_missing(self) -> None:
        """Make the files that are missing or broken."""
        self.ids = [self.dataset.get_data_info(index)['img_id'] for index in range(len(self.dataset))]
        pending = self.folder.pending(
            len(self.ids), lambda index: self.is_valid(self.folder.path(self.ids[index]), index)
        )
        print_log(
            f'{self.out_dir}: {len(self.ids) - len(pending)} of {len(self.ids)} {self.name} are there, '
            f'{len(pending)} to make',
            'current',
        )
        if pending:
            self.make_files(set(pending))
        barrier()

    def make_files(self, pending: set[int]) -> None:
        """Make the files of these images of the data set."""
        wanted = {self.ids[index] for index in pending}
        self.dataloader.batch_sampler.pending = pending
        for batch_idx, data_batch in enumerate(track(self.dataloader, self.name)):
            self.runner.call_hook('before_test_iter', batch_idx=batch_idx, data_batch=data_batch)
            for img_id, result in self.make(data_batch).items():
                if img_id in wanted:
                    self.write(self.folder.path(img_id), result)
            self.runner.call_hook('after_test_iter', batch_idx=batch_idx, data_batch=data_batch, outputs=None)
        self.dataloader.batch_sampler.pending = None

    def measure(self) -> dict[str, float]:
        """Metrics of all files against the masks of the data set."""
        rank, world_size = get_dist_info()
        items = [self.dataset.get_data_info(index) for index in range(len(self.dataset))]
        items = [item for item in items if item.get('seg_map_path')]
        if not items or not self.evaluator.metrics:
            return {}
        process_files(self.evaluator.metrics, items[rank::world_size], self.read_item, self.dataloader.num_workers)
        return self.evaluator.evaluate(len(items))

    def read_item(self, item: dict) -> dict[str, Any]:
        """What the metrics see of an item of the data set."""
        mask = read_mask(item['seg_map_path'], self.dataset.class_index, read_size(item['img_path']))
        return self.read_sample(item['img_id'], mask)


def image_ids(data_samples: Sequence) -> list[str]:
    """Ids of the images of a batch."""
    return [sample.metainfo['img_id'] for sample in data_samples]
