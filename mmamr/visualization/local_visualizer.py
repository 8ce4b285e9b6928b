from typing import Any

import numpy as np
from mmengine.structures import BaseDataElement
from mmengine.visualization import Visualizer

from mmamr.registry import VISUALIZERS
from mmamr.structures import ClassIndex

from .rows import cam_row, label_row
from .sheet import Row, draw_sheet, save_picture


@VISUALIZERS.register_module()
class CAMLocalVisualizer(Visualizer):
    """Draw CAMs, pseudo labels, predictions and ground truth of images side by side.

    Class names and colours are those of ``dataset_meta``, which a runner sets from its data set. The pictures of
    hooks and of the CAM and label loops are rows, too: :meth:`add_rows`.

    Args:
        name (str): Of the instance. Defaults to 'visualizer'.
        xi (float): Recalibration coefficient ξ of weighted CAMs (eq. 2). Defaults to 0.5.
        width (int): Of a column in pixels. Defaults to 192.
        **kwargs: Of :class:`mmengine.visualization.Visualizer`, e.g. ``vis_backends``.

    Example:
        >>> visualizer = CAMLocalVisualizer(vis_backends=[dict(type='LocalVisBackend')], save_dir='pictures')
        >>> visualizer.dataset_meta = dict(classes=('cat', 'dog'))
        >>> visualizer.add_datasample('cat', photo, BaseDataElement(cam=cam))
    """

    def __init__(self, name: str = 'visualizer', *args: Any, xi: float = 0.5, width: int = 192, **kwargs: Any) -> None:
        super().__init__(name, *args, **kwargs)
        self.xi = xi
        self.width = width

    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: BaseDataElement | None = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0,
        out_file: str | None = None,
        step: int = 0,
    ) -> np.ndarray:
        """Draw an image and what is known of it as one row.

        Args:
            name (str): Of the picture, and its title.
            image (np.ndarray): RGB uint8 ``(H, W, 3)``.
            data_sample (BaseDataElement, optional): With any of ``cam`` (:class:`mmamr.structures.CAM`),
                ``pred_sem_seg`` and ``gt_sem_seg`` (``PixelData`` of training indices, ``(1, H, W)``). Defaults to
                None.
            draw_gt (bool): Whether the ground truth is drawn where it is known. Defaults to True.
            draw_pred (bool): Whether CAMs and predictions are drawn. Defaults to True.
            show (bool): Whether the picture is shown in a window. Defaults to False.
            wait_time (float): For so many seconds; 0 is until a key is pressed. Defaults to 0.
            out_file (str, optional): File to write the picture to instead of the backends. Defaults to None.
            step (int): Of the picture in the backends. Defaults to 0.

        Returns:
            np.ndarray: The picture, RGB uint8.
        """
        picture = draw_sheet([self.row(name, image, data_sample, draw_gt, draw_pred)], self.width)
        if show:
            self.show(picture, win_name=name, wait_time=wait_time)
        if out_file is not None:
            save_picture(out_file, picture)
        else:
            self.add_image(name, picture, step)
        return picture

    def row(
        self,
        name: str,
        image: np.ndarray,
        data_sample: BaseDataElement | None = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
    ) -> Row:
        """The row that :meth:`add_datasample` draws; the arguments are the same."""
        sample = data_sample if data_sample is not None else BaseDataElement()
        classes, palette = self._classes()
        mask = sample.gt_sem_seg.data[0].cpu().numpy() if draw_gt and 'gt_sem_seg' in sample else None
        panels, legend = {'image': image}, {}
        rows = []
        if draw_pred and 'cam' in sample:
            rows.append(cam_row(image, sample.cam, classes, palette, mask, xi=self.xi))
        if draw_pred and 'pred_sem_seg' in sample:
            prediction = sample.pred_sem_seg.data[0].cpu().numpy()
            rows.append(label_row(image, prediction, classes, palette, mask, caption='prediction'))
        elif mask is not None and not rows:
            rows.append(label_row(image, mask, classes, palette, caption='ground truth'))
        for row in rows:
            panels.update({caption: panel for caption, panel in row.panels.items() if caption != 'ground truth'})
            legend.update(row.legend)
        if mask is not None:
            panels['ground truth'] = rows[-1].panels['ground truth']
        return Row(panels, name, legend)

    def add_rows(self, name: str, rows: list[Row], step: int = 0) -> None:
        """Stack rows into one picture for the backends.

        Args:
            name (str): Of the picture.
            rows (list[Row]): The rows.
            step (int): Of the picture. Defaults to 0.
        """
        self.add_image(name, draw_sheet(rows, self.width), step)

    def _classes(self) -> tuple[tuple[str, ...], np.ndarray]:
        """Names of the foreground classes, and the colours of the background and of these."""
        meta = self.dataset_meta or {}
        names = tuple(meta.get('classes') or ())
        if names and names[0] == 'background':  # as the data sets of mmseg count
            names = names[1:]
        values = meta.get('mask_values')
        values = tuple(values)[-len(names) :] if values is not None and names else None
        palette = meta.get('palette')
        index = ClassIndex(names or ('object',), values if palette is None else None, palette)
        return index.classes, index.palette
