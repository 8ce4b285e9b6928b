from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner

from mmamr.fileio import read_rgb, read_truth
from mmamr.models.utils import preprocess
from mmamr.registry import HOOKS
from mmamr.utils import check_number, check_numbers, evaluating
from mmamr.visualization import cam_row, draw_sheet, shrink_label

from .picture_hook import PictureHook


@HOOKS.register_module()
class CAMVisualizationHook(PictureHook):
    """Draw the CAMs of the same few images again and again while a classifier is trained.

    The picture ``cams`` goes to the runner's visualizer. It changes nothing in the training: the mode of the model is
    restored, and no random number is drawn.

    Args:
        scales (Sequence[float]): Factors of the image's size. Defaults to ``(1.0, )``.
        flip (bool): Whether the mirror image is added at each scale. Defaults to False.
        xi (float): Recalibration coefficient ξ of the weighted CAM. Defaults to 0.5.
        width (int): Of a column in pixels. Defaults to 192.
        kwargs: See :class:`PictureHook`.
    """

    what = 'CAMs'

    def __init__(
        self, scales: Sequence[float] = (1.0,), flip: bool = False, xi: float = 0.5, width: int = 192, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        check_numbers('scales', scales, above=0)
        check_number('xi', xi, 0, 1)
        check_number('width', width, 16, whole=True)
        self.scales = tuple(scales)
        self.flip = flip
        self.xi = xi
        self.width = width

    def draw(self, runner: Runner, model: BaseModel, step: int) -> None:
        """Draw the CAMs of the chosen images."""
        names, palette = self.dataset.metainfo['classes'], self.dataset.metainfo['palette']
        rows = []
        with evaluating(model), torch.no_grad():
            for item in self.items:
                image = read_rgb(item['img_path'], max_long_side=self.dataset.max_long_side)
                mask = read_truth(item, self.dataset.class_index)
                mask = None if mask is None else shrink_label(mask, image.shape[:2])
                cam = model.make_cams(preprocess(model, image), [item['gt_label']], self.scales, self.flip)[0]
                rows.append(cam_row(image, cam, names, palette, mask, xi=self.xi, title=item['img_id']))
        runner.visualizer.add_image('cams', draw_sheet(rows, self.width), step)
