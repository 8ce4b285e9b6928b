"""A model from a config, and the CAMs of any images from a model."""

import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.model import BaseModel

from mmamr.cams import Climbing
from mmamr.datasets import load_config
from mmamr.models.utils import build_model, class_names, class_numbers, preprocess
from mmamr.structures import CAM, ClassIndex
from mmamr.utils import InputError, check_types, config_of_checkpoint, evaluating
from mmamr.visualization import cam_row, draw_sheet, save_picture

from .inputs import Photo, list_photos, photo_title, read_photo


def init_model(
    config: str | os.PathLike | Config | None = None,
    checkpoint: str | os.PathLike | None = None,
    device: str | torch.device = 'cpu',
    cfg_options: dict[str, Any] | None = None,
) -> BaseModel:
    """Build the model of a config and load its weights.

    Args:
        config (str | PathLike | Config, optional): A file, one of an installed package (``'mmamr::amr/….py'``), or a
            config. Defaults to None: the one that a training wrote into the checkpoint.
        checkpoint (str | PathLike, optional): File or URL of the weights; read with ``weights_only=True``, and every
            tensor must fit. Defaults to None: the weights that the config starts its training from, which may be
            downloaded.
        device (str | torch.device): Where the model goes. Defaults to 'cpu'.
        cfg_options (dict, optional): Settings to override, by dotted key. Defaults to None.

    Returns:
        BaseModel: In evaluation mode, with the config as ``cfg`` and, where they are known, the classes of the data as
        ``dataset_meta``.

    Raises:
        FileNotFoundError: If there is no such config or checkpoint.
        InputError: If the checkpoint is not one of this model, or has no config where none is named.
    """
    if config is None:
        if checkpoint is None:
            raise InputError('neither a config nor a checkpoint is named, so there is no model: name one of them')
        config = config_in(checkpoint)
    return build_model(load_config(config, cfg_options), checkpoint, device)


def config_in(checkpoint: str | os.PathLike) -> Config:
    """The config that a training wrote into its checkpoint; it is read as data, and builds what is registered only.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is no checkpoint, or has no config with a model.
    """
    cfg = config_of_checkpoint(checkpoint)
    if cfg is None or not isinstance(cfg.get('model'), dict):
        raise InputError(f'{os.fspath(checkpoint)} holds no config of its training: name the config file by --config')
    where = f'{os.fspath(checkpoint)}: the config in it'
    check_types(cfg.to_dict()['model'], where)
    loader = cfg.to_dict().get('test_dataloader') or {}
    check_types((loader.get('dataset') or {}).get('pipeline'), where)
    return cfg


@torch.no_grad()
def make_cams(
    model: BaseModel,
    images: Photo | Sequence[Photo],
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
        images (str | PathLike | np.ndarray | PIL.Image.Image | Tensor | Sequence): One or several photos of any size:
            files, folders of them, uint8 arrays ``(H, W, 3)``, PIL images, RGB tensors ``(3, H, W)`` (uint8, or floats
            in [0, 1]).
        labels (Sequence[Sequence[int | str]], optional): Classes of each image, numbers counted from 0 or names.
            Defaults to None: those that the model gives more than ``score_threshold``. Where it gives none so much, the
            CAM has no class, and a warning names the photo, its best class and score.
        scales (Sequence[float], optional): Factors of the image's size. Defaults to None: those of the config's CAM
            stage, 1 where it has none.
        flip (bool, optional): Whether the mirror image is added at each scale. Defaults to None: as the config's CAM
            stage, True where it has none.
        channel_order (str): ``'bgr'``, as mmcv and OpenCV read images, or ``'rgb'``: of arrays. Defaults to 'bgr'.
        score_threshold (float): For predicted classes, in [0, 1]. Defaults to 0.5.

    Returns:
        list[CAM]: One an image.

    Raises:
        DatasetError: If a file is missing or broken.
        ValueError: If an image or a label is none.
    """
    images = list_photos(images)
    if labels is not None and len(labels) != len(images):
        raise ValueError(f'labels of {len(labels)} images were given for {len(images)} images')
    stage = (model.cfg.get('test_cfg') or {}) if hasattr(model, 'cfg') else {}
    scales = stage.get('scales', (1.0,)) if scales is None else scales
    flip = stage.get('flip', True) if flip is None else flip
    climbing = Climbing(**stage['climb']) if stage.get('climb') else None
    cams = []
    with evaluating(model):
        for index, image in enumerate(images):
            inputs = preprocess(model, read_photo(image, channel_order))
            if labels is None:
                scores = model.predict(inputs)[0].pred_score
                classes = (scores > score_threshold).nonzero()[:, 0].tolist()
                if not classes:
                    warnings.warn(
                        no_class_line(model, photo_title(image, index), scores, score_threshold), stacklevel=2
                    )
            else:
                classes = class_numbers(model, labels[index])
            cams += model.make_cams(inputs, [classes], scales, flip, climbing)
    return cams


def no_class_line(model: BaseModel, title: str, scores: torch.Tensor, threshold: float) -> str:
    """What to say of a photo in which a classifier sees no class."""
    best = int(scores.argmax())
    return (
        f'{title}: no class scores more than {threshold:g}, so that there is no CAM; the best is '
        f'{class_names(model)[best]} with {float(scores[best]):.2f}; name its classes (labels) or a lower '
        'score_threshold'
    )


def show_cams(
    model: BaseModel,
    images: Photo | Sequence[Photo],
    cams: Sequence[CAM],
    out_file: str | None = None,
    xi: float = 0.5,
    channel_order: str = 'bgr',
) -> np.ndarray:
    """Draw images and their CAMs side by side.

    Args:
        model (BaseModel): The model that made them; names and colours of the classes are its own.
        images (str | PathLike | np.ndarray | PIL.Image.Image | Tensor | Sequence): As given to :func:`make_cams`.
        cams (Sequence[CAM]): What it returned.
        out_file (str, optional): ``.png`` or ``.jpg`` to write. Defaults to None.
        xi (float): Recalibration coefficient ξ of the weighted CAM. Defaults to 0.5.
        channel_order (str): Of arrays, ``'bgr'`` or ``'rgb'``. Defaults to 'bgr'.

    Returns:
        np.ndarray: RGB uint8 ``(H, W, 3)``.
    """
    images = list_photos(images)
    names = class_names(model)
    meta = getattr(model, 'dataset_meta', {})
    palette = ClassIndex(names, meta.get('mask_values'), meta.get('palette')).palette
    rows = [
        cam_row(
            read_photo(image, channel_order),
            cam,
            names,
            palette,
            xi=xi,
            title=photo_title(image, number) if isinstance(image, str) else '',
        )
        for number, (image, cam) in enumerate(zip(images, cams))
    ]
    picture = draw_sheet(rows)
    if out_file is not None:
        save_picture(out_file, picture)
    return picture
