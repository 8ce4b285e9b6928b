import os.path as osp
from collections.abc import Sequence

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement

from mmamr.fileio import read_rgb
from mmamr.registry import HOOKS
from mmamr.utils import check_number
from mmamr.visualization import draw_sheet, label_row, save_picture


@HOOKS.register_module()
class PredictionPictureHook(Hook):
    """Draw what a segmentation model predicts during a test, between the photo and the ground truth.

    Unlike mmseg's ``SegVisualizationHook`` it writes files and shows windows in one run, draws the photos of all
    processes, and does not ask for the runner's iteration, for which mmengine would load the training data.

    Args:
        out_dir (str, optional): Folder for a ``<id>.png`` an image. Defaults to None.
        show (bool): Whether the main process shows each picture in a window. Defaults to False.
        wait_time (float): For so many seconds, or until the space bar is pressed; 0 is for ever. Defaults to 2.
        interval (int): Draw every so many-th image of a process. Defaults to 1.
    """

    def __init__(self, out_dir: str | None = None, show: bool = False, wait_time: float = 2, interval: int = 1) -> None:
        check_number('interval', interval, 1, whole=True)
        check_number('wait_time', wait_time, 0)
        self.out_dir = out_dir
        self.show = show
        self.wait_time = wait_time
        self.interval = interval
        self.seen = 0

    def before_test_epoch(self, runner: Runner) -> None:
        """Count from the first image."""
        self.seen = 0

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence[BaseDataElement] | None = None,
    ) -> None:
        """Draw the predictions of a batch."""
        for output in outputs or ():
            if self.seen % self.interval == 0:
                self.draw(runner, output)
            self.seen += 1

    def draw(self, runner: Runner, output: BaseDataElement) -> None:
        """Draw one prediction.

        Args:
            runner (Runner): The runner.
            output (BaseDataElement): With ``img_path``, ``pred_sem_seg`` and optionally ``gt_sem_seg`` ``(1, H, W)``.
        """
        meta = runner.test_dataloader.dataset.metainfo
        img_id = osp.splitext(osp.basename(output.img_path))[0]
        prediction = output.pred_sem_seg.data[0].cpu().numpy()
        mask = output.gt_sem_seg.data[0].cpu().numpy() if 'gt_sem_seg' in output else None
        row = label_row(
            read_rgb(output.img_path),
            prediction,
            meta['classes'][1:],
            meta['palette'],
            mask,
            title=img_id,
            caption='prediction',
        )
        picture = draw_sheet([row])
        if self.out_dir is not None:
            save_picture(osp.join(self.out_dir, f'{img_id}.png'), picture)
        if self.show:
            runner.visualizer.show(picture, win_name=img_id, wait_time=self.wait_time)
