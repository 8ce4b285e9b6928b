from abc import abstractmethod
from collections.abc import Sequence

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import BaseModel, is_model_wrapper
from mmengine.runner import Runner

from mmamr.datasets.items import choose_items
from mmamr.registry import DATASETS
from mmamr.utils import InputError, check_number


class PictureHook(Hook):
    """Draw something of the same few images again and again while a model is trained.

    The picture goes to the runner's visualizer, which puts it into TensorBoard and ``vis_data/vis_image``. Only the
    main process works.

    Args:
        interval (int): Epochs, or iterations, between two pictures. Defaults to 1.
        by_epoch (bool): Whether epochs are counted, and the step is the epoch; else iterations. Defaults to True.
        num (int): How many images. Defaults to 4.
        img_ids (Sequence[str], optional): Ids of the images. Defaults to None: ``num`` random ones.
        seed (int): Of the choice. Defaults to 0.
        dataset (dict, optional): Config of an :class:`~mmamr.datasets.ImageLabelDataset`. Defaults to None: that of the
            config's ``test_dataloader``, or of its ``train_dataloader`` where it has no other.
    """

    # Below that of LoggerHook: what it draws is of the step that was logged.
    priority = 'LOWEST'

    what: str
    """What is drawn, for a warning, e.g. ``'CAMs'``."""

    def __init__(
        self,
        interval: int = 1,
        by_epoch: bool = True,
        num: int = 4,
        img_ids: Sequence[str] | None = None,
        seed: int = 0,
        dataset: dict | None = None,
    ) -> None:
        check_number('interval', interval, 1, whole=True)
        check_number('num', num, 1, whole=True)
        self.interval = interval
        self.by_epoch = by_epoch
        self.num = num
        self.img_ids = img_ids
        self.seed = seed
        self.dataset_cfg = dataset

    @master_only
    def before_train(self, runner: Runner) -> None:
        """Choose the images. Without a data set to choose from there are no pictures, but the training goes on.

        Raises:
            InputError: If a data set or images were named that are not there.
        """
        self.items = []
        cfg = self.dataset_cfg or (runner.cfg.get('test_dataloader') or runner.cfg.train_dataloader).dataset
        try:
            self.dataset = DATASETS.build({**cfg, 'pipeline': []})
            self.items = choose_items(self.dataset, self.img_ids, self.num, self.seed)
        except InputError as error:
            if self.dataset_cfg is not None or self.img_ids is not None:
                raise
            runner.logger.warning(f'No {self.what} are drawn during training: {error}')

    def after_train_epoch(self, runner: Runner) -> None:
        """Draw, every ``interval`` epochs."""
        if self.by_epoch and self.every_n_epochs(runner, self.interval):
            self.draw_if_any(runner, runner.epoch + 1)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        """Draw, every ``interval`` iterations."""
        if not self.by_epoch and self.every_n_train_iters(runner, self.interval):
            self.draw_if_any(runner, runner.iter + 1)

    @master_only
    def draw_if_any(self, runner: Runner, step: int) -> None:
        """Draw where there are images, with the model as it is now."""
        if self.items:
            self.draw(runner, self.network(runner), step)

    @staticmethod
    def network(runner: Runner) -> BaseModel:
        """The model without its distributed wrapper."""
        return runner.model.module if is_model_wrapper(runner.model) else runner.model

    @abstractmethod
    def draw(self, runner: Runner, model: BaseModel, step: int) -> None:
        """Draw :attr:`items` of :attr:`dataset`; mode and random numbers of the model stay as they are.

        Args:
            runner (Runner): The runner.
            model (BaseModel): The model without its distributed wrapper.
            step (int): Of the picture.
        """
