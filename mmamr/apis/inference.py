"""A model from a config, and the CAMs of any images from a model."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.model import BaseModel

from mmamr.cams import Climbing
from mmamr.datasets import load_config
from mmamr.fileio import read_rgb
from mmamr.fileio.images import ImageInput
from mmamr.models.utils import build_model, class_names, class_numbers, preprocess
from mmamr.structures import CAM, ClassIndex
from mmamr.utils import evaluating
from mmamr.visualization import cam_row, draw_sheet, save_picture


def init_model(
    config: str | os.PathLike | Config,
    checkpoint: str | None = None,
    device: str | torch.device = 'cpu',
    cfg_options: dict[str, Any] | None = None,
) -> BaseModel:
    """Build the model of a config and load its weights.

    Args:
        config (str | PathLike | Config): A file, one of an installed package (``'mmamr::amr/….py'``), or a config.
        checkpoint (str, optional): File or URL of the weights; read with ``weights_only=True``, and every tensor must
            fit. Defaults to None: the weights that the config starts its training from, which may be downloaded.
        device (str | torch.device): Where the model goes. Defaults to 'cpu'.
        cfg_options (dict, optional): Settings to override, by dotted key. Defaults to None.

    Returns:
        BaseModel: In evaluation mode, with the config as ``cfg`` and, where they are known, the classes of the data as
        ``dataset_meta``.

    Raises:
        FileNotFoundError: If there is no such config or checkpoint.
        InputError: If the checkpoint is not one of this model.
    """
    return build_model(load_config(config, cfg_options), checkpoint, device)


@torch.no_grad()
def make_cams(
    model: BaseModel,
    images: ImageInput | Sequence[ImageInput],
    labels: Sequence[Sequence[int | str]] | None = None,
    scales: Sequence[float] | None = None,
    flip: bool | None = None,
    channel_order: str = 'bgr',
    score_threshold: float = 0.5,
) -> list[CAM]:
    """CAMs of images, as the CAM stage of the model's config makes them, with climbing if that has it.

    Args:
        model (BaseModel): A :class:`~mmamr.models.CAMClassifier` or :class:`~mmamr.models.AMRClassifier`, e.g. from
            :func:`init_model`. Its mode is restored.
        images (str | PathLike | np.ndarray | Sequence): One or several files or uint8 arrays ``(H, W, 3)`` of any size.
        labels (Sequence[Sequence[int | str]], optional): Classes of each image, numbers counted from 0 or names.
            Defaults to None: those that the model gives more than ``score_threshold``, perhaps none.
        scales (Sequence[float], optional): Factors of the image's size. Defaults to None: those of the config's CAM
            stage, 1 where it has none.
        flip (bool, optional): Whether the mirror image is added at each scale. Defaults to None: as the config's CAM
            stage, True where it has none.
        channel_order (str): ``'bgr'``, as mmcv and OpenCV read images, or ``'rgb'``: of arrays. Defaults to 'bgr'.
        score_threshold (float): For predicted classes, in [0, 1]. Defaults to 0.5.

    Returns:
        list[CAM]: One an image.

    Raises:
        ValueError: If an image or a label is none.
    """
    images = [images] if isinstance(images, (str, os.PathLike, np.ndarray)) else list(images)
    if labels is not None and len(labels) != len(images):
        raise ValueError(f'labels of {len(labels)} images were given for {len(images)} images')
    stage = (model.cfg.get('test_cfg') or {}) if hasattr(model, 'cfg') else {}
    scales = stage.get('scales', (1.0,)) if scales is None else scales
    flip = stage.get('flip', True) if flip is None else flip
    climbing = Climbing(**stage['climb']) if stage.get('climb') else None
    cams = []
    with evaluating(model):
        for index, image in enumerate(images):
            inputs = preprocess(model, read_rgb(image, channel_order))
            if labels is None:
                scores = model.predict(inputs)[0].pred_score
                classes = (scores > score_threshold).nonzero()[:, 0].tolist()
            else:
                classes = class_numbers(model, labels[index])
            cams += model.make_cams(inputs, [classes], scales, flip, climbing)
    return cams


def show_cams(
    model: BaseModel,
    images: ImageInput | Sequence[ImageInput],
    cams: Sequence[CAM],
    out_file: str | None = None,
    xi: float = 0.5,
    channel_order: str = 'bgr',
) -> np.ndarray:
    """Draw images and their CAMs side by side.

    Args:
        model (BaseModel): The model that made them; names and colours of the classes are its own.
        images (str | PathLike | np.ndarray | Sequence): As given to :func:`make_cams`.
        cams (Sequence[CAM]): What it returned.
        out_file (str, optional): ``.png`` or ``.jpg`` to write. Defaults to None.
        xi (float): Recalibration coefficient ξ of the weighted CAM. Defaults to 0.5.
        channel_order (str): Of arrays, ``'bgr'`` or ``'rgb'``. Defaults to 'bgr'.

    Returns:
        np.ndarray: RGB uint8 ``(H, W, 3)``.
    """
    images = [images] if isinstance(images, (str, os.PathLike, np.ndarray)) else list(images)
    names = class_names(model)
    meta = getattr(model, 'dataset_meta', {})
    palette = ClassIndex(names, meta.get('mask_values'), meta.get('palette')).palette
    rows = [
        cam_row(
            read_rgb(image, channel_order),
            cam,
            names,
            palette,
            xi=xi,
            title='' if isinstance(image, np.ndarray) else os.path.basename(image),
        )
        for image, cam in zip(images, cams)
    ]
    picture = draw_sheet(rows)
    if out_file is not None:
        save_picture(out_file, picture)
    return picture
