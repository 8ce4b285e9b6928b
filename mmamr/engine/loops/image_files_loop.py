from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.dist import barrier, get_dist_info
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from mmengine.model import BaseModel, is_model_wrapper
from mmengine.runner import BaseLoop, Runner
from torch import Tensor
from torch.utils.data import DataLoader

from mmamr.evaluation.files import process_files
from mmamr.fileio import MAX_LONG_SIDE, CAMFolder, LabelFolder, OutputFolder, read_truth, state_digest
from mmamr.structures import CAM
from mmamr.utils import InputError, check_flag, raise_if_interrupted, track
from mmamr.visualization import Row


class ImageFilesLoop(BaseLoop):
    """A test loop that writes one file an image into one folder, and then measures the files.

    Whole files are skipped, broken and missing ones made (again); files are written whole. A run that was killed at any
    moment ends with the same bytes when it is started again, under any number of processes.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): Data loader over an :class:`~mmamr.datasets.ImageLabelDataset`.
        evaluator (Evaluator | dict | list): Metrics over the files; used where the data set has masks.
        out_dir (str, optional): Folder of the files. Defaults to None: :attr:`name` in the work folder.
        redo (bool): Whether files that are there, but were made with other settings, are deleted and made again.
            Defaults to False: such files end the run with one line.
    """

    name: str
    """What the files are called in folders and logs, e.g. ``'cams'``."""
    files: CAMFolder | LabelFolder

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict,
        evaluator: Evaluator | dict | list,
        out_dir: str | None = None,
        redo: bool = False,
    ) -> None:
        super().__init__(runner, dataloader)
        check_flag('redo', redo)
        self.dataset = self.dataloader.dataset
        self.evaluator = evaluator if isinstance(evaluator, Evaluator) else runner.build_evaluator(evaluator)
        self.evaluator.dataset_meta = self.dataset.metainfo
        self.out_dir = out_dir or self.default_out_dir(runner.work_dir)
        self.redo = redo
        self.files = self.open_folder(self.out_dir)

    @classmethod
    def default_out_dir(cls, work_dir: str) -> str:
        """The folder that ``out_dir`` means where it is None."""
        return f'{work_dir}/{cls.name}'

    @property
    def model(self) -> BaseModel:
        """The model without its distributed wrapper."""
        return self.runner.model.module if is_model_wrapper(self.runner.model) else self.runner.model

    @abstractmethod
    def open_folder(self, folder: str) -> CAMFolder | LabelFolder:
        """The files in a folder."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What the files depend on, for :class:`~mmamr.fileio.OutputFolder`."""

    def photo_settings(self) -> dict[str, Any]:
        """Of the photos that the files are made of: the size that they are worked on at, where it is not the usual."""
        bound = self.dataset.max_long_side
        return {} if bound == MAX_LONG_SIDE else dict(max_long_side=bound)

    @abstractmethod
    def make_files(self, pending: Sequence[int]) -> None:
        """Make the files of these images of the data set; every process is called with all of them."""

    @abstractmethod
    def read_sample(self, img_id: str, mask: np.ndarray) -> dict[str, Any]:
        """What the metrics see of one image's file and mask."""

    @abstractmethod
    def rows(self, items: Sequence[dict[str, Any]]) -> list[Row]:
        """Pictures of what the loop made of some items of the data set."""

    def is_valid(self, index: int) -> bool:
        """Whether the file of an image is whole."""
        return self.files.is_valid(self.ids[index], self.dataset.get_image_size(index))

    def run(self) -> dict[str, float]:
        """Make what is missing, then measure.

        Returns:
            dict[str, float]: The metrics; empty without masks.

        Raises:
            ChangedSettingsError: If files are there that were made with other settings, without ``redo``.
        """
        runner = self.runner
        runner.call_hook('before_test')
        runner.call_hook('before_test_epoch')
        runner.model.eval()
        folder = OutputFolder(self.files, self.settings(), self.redo)
        folder.prepare()
        self.ids = [self.dataset.get_data_info(index)['img_id'] for index in range(len(self.dataset))]
        pending = folder.pending(len(self.ids), self.is_valid)
        print_log(
            f'{self.out_dir}: {len(self.ids) - len(pending)} of {len(self.ids)} {self.name} are there, '
            f'{len(pending)} to make',
            'current',
        )
        if pending:
            self.make_files(pending)
        barrier()
        metrics = self.measure()
        runner.call_hook('after_test_epoch', metrics=metrics)
        runner.call_hook('after_test')
        return metrics

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
        mask = read_truth(item, self.dataset.class_index)
        assert mask is not None  # measure() takes the items with masks only
        return self.read_sample(item['img_id'], mask)

    def open_cams(self, cam_dir: str | None) -> CAMFolder:
        """The CAM files that a loop reads.

        Raises:
            InputError: If nobody named them.
        """
        if cam_dir is None:
            raise InputError(
                f'{type(self).__name__} reads CAMs, but none are named: set test_cfg.cam_dir to their folder'
            )
        return CAMFolder(cam_dir, self.dataset.class_index.num_classes)


class NetworkLoop(ImageFilesLoop):
    """An :class:`ImageFilesLoop` whose files come out of a network, batch by batch.

    The batches are planned over the whole data set by :class:`~mmamr.datasets.SameSizeBatchSampler`, and a planned
    batch with one missing file is computed whole, so that a file does not depend on what was there before.
    """

    files: CAMFolder

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not hasattr(self.dataloader.batch_sampler, 'pending'):
            raise InputError(
                f"{type(self).__name__} needs test_dataloader.batch_sampler=dict(type='SameSizeBatchSampler'), but got "
                f'{type(self.dataloader.batch_sampler).__name__}'
            )

    def open_folder(self, folder: str) -> CAMFolder:
        """Files in the format of a CAM."""
        return CAMFolder(folder, self.dataset.class_index.num_classes)

    def settings(self) -> dict[str, Any]:
        """The network, its weights, and the photos; subclasses add what they do with them."""
        return dict(
            **self.photo_settings(),
            model=state_digest(self.model),
            config=model_text(self.runner.cfg),
            pipeline=str(self.runner.cfg.test_dataloader.dataset.get('pipeline')),
        )

    def read_sample(self, img_id: str, mask: np.ndarray) -> dict[str, Any]:
        """Scores and mask, for :class:`~mmamr.evaluation.CAMMetric`."""
        return dict(cam=self.files.read(img_id, mask.shape), mask=mask)

    @abstractmethod
    def make(self, data_batch: dict) -> dict[str, CAM]:
        """Results of a batch by image id."""

    def make_files(self, pending: Sequence[int]) -> None:
        """Make the files of these images of the data set."""
        wanted = {self.ids[index] for index in pending}
        self.dataloader.batch_sampler.pending = set(pending)
        for batch_idx, data_batch in enumerate(track(self.dataloader, self.name)):
            raise_if_interrupted()
            self.runner.call_hook('before_test_iter', batch_idx=batch_idx, data_batch=data_batch)
            outputs = self.make(data_batch)
            for img_id, result in outputs.items():
                if img_id in wanted:
                    self.files.write(img_id, result)
            self.runner.call_hook('after_test_iter', batch_idx=batch_idx, data_batch=data_batch, outputs=outputs)
        self.dataloader.batch_sampler.pending = None


def model_text(cfg: Config) -> str:
    """The model of a config as text, without what its weights would start from: they are known by themselves."""

    def without_init(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: without_init(item) for key, item in value.items() if key != 'init_cfg'}
        return type(value)(map(without_init, value)) if isinstance(value, (list, tuple)) else value

    return str(without_init(cfg.get('model')))


def own_sizes(data_samples: Sequence, images: Tensor) -> list[tuple[int, int]]:
    """Sizes ``(H, W)`` of the photos of a batch, which are larger than the images where those are bounded."""
    size = tuple(images.shape[2:])
    return [tuple(sample.metainfo.get('ori_shape', size)) for sample in data_samples]


def image_ids(data_samples: Sequence) -> list[str]:
    """Ids of the images of a batch."""
    return [sample.metainfo['img_id'] for sample in data_samples]
