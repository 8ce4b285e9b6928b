from typing import Dict, Optional, Sequence

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmamr.apis.inference import load_rgb, make_cams
from mmamr.apis.pictures import choose_items, read_truth
from mmamr.registry import DATASETS, HOOKS
from mmamr.utils import InputError
from mmamr.visualization import cam_row, draw_sheet


@HOOKS.register_module()
class CAMVisualizationHook(Hook):
    """Draw the CAMs of the same few images again and again while a classifier is trained.

    The picture ``cams`` goes to the runner's visualizer, which puts it into TensorBoard and ``vis_data/vis_image``. It
    changes nothing in the training: the mode of the model is restored, no random number is drawn, and only the main
    process works.

    Args:
        interval (int): Epochs, or iterations, between two pictures. Defaults to 1.
        by_epoch (bool): Whether epochs are counted, and the step is the epoch; else iterations. Defaults to True.
        num (int): How many images. Defaults to 4.
        img_ids (Sequence[str], optional): Ids of the images. Defaults to None: ``num`` random ones.
        seed (int): Of the choice. Defaults to 0.
        dataset (dict, optional): Config of an :class:`~mmamr.datasets.ImageLabelDataset`. Defaults to None: that of the
            config's ``test_dataloader``, or of its ``train_dataloader`` where it has no other.
        scales (Sequence[float]): Factors of the image's size. Defaults to ``(1.0, )``.
        flip (bool): Whether the mirror image is added at each scale. Defaults to False.
        xi (float): Recalibration coefficient ξ of the weighted CAM. Defaults to 0.5.
        width (int): Of a column in pixels. Defaults to 192.
    """

    # Below that of LoggerHook: what it draws is of the step that was logged.
    priority = 'LOWEST'

    def __init__(self,
                 interval: int = 1,
                 by_epoch: bool = True,
                 num: int = 4,
                 img_ids: Optional[Sequence[str]] = None,
                 seed: int = 0,
                 dataset: Optional[Dict] = None,
                 scales: Sequence[float] = (1.0, ),
                 flip: bool = False,
                 xi: float = 0.5,
                 width: int = 192) -> None:
        if interval < 1 or num < 1:
            raise ValueError(f'interval and num must be 1 at least, but got {interval} and {num}')
        self.interval = interval
        self.by_epoch = by_epoch
        self.num = num
        self.img_ids = img_ids
        self.seed = seed
        self.dataset_cfg = dataset
        self.scales = tuple(scales)
        self.flip = flip
        self.xi = xi
        self.width = width

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
            runner.logger.warning(f'No CAMs are drawn during training: {error}')

    def after_train_epoch(self, runner: Runner) -> None:
        """Draw, every ``interval`` epochs."""
        if self.by_epoch and self.every_n_epochs(runner, self.interval):
            self.draw(runner, runner.epoch + 1)

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Optional[dict] = None,
                         outputs: Optional[dict] = None) -> None:
        """Draw, every ``interval`` iterations."""
        if not self.by_epoch and self.every_n_train_iters(runner, self.interval):
            self.draw(runner, runner.iter + 1)

    @master_only
    def draw(self, runner: Runner, step: int) -> None:
        """Draw the images with the model as it is now.

        Args:
            runner (Runner): The runner.
            step (int): Of the picture.
        """
        if not self.items:
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        names, palette = self.dataset.metainfo['classes'], self.dataset.metainfo['palette']
        rows = []
        for item in self.items:
            image = load_rgb(item['img_path'])
            cam, = make_cams(model, image, [item['gt_label']], self.scales, self.flip, channel_order='rgb')
            rows.append(
                cam_row(image, cam, names, palette, read_truth(item, self.dataset), xi=self.xi, title=item['img_id']))
        runner.visualizer.add_image('cams', draw_sheet(rows, self.width), step)
