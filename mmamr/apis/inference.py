"""A model from a config, and the CAMs of any images from a model."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.model import BaseTTAModel
from mmengine.registry import MODELS as ROOT
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from mmamr.cams import CAM, Climbing
from mmamr.registry import MODELS
from mmamr.utils import InputError, evaluating

from .config import load_config

Image = str | os.PathLike | np.ndarray


def init_model(
    config: str | os.PathLike | Config,
    checkpoint: str | None = None,
    device: str | torch.device = 'cpu',
    cfg_options: dict[str, Any] | None = None,
) -> nn.Module:
    """Build the model of a config and load its weights.

    Args:
        config (str | PathLike | Config): A file, one of an installed package (``'mmamr::amr/….py'``), or a config.
        checkpoint (str, optional): File or URL of the weights; read with ``weights_only=True``, and every tensor must
            fit. Defaults to None: the weights that the config starts its training from, which may be downloaded.
        device (str | torch.device): Where the model goes. Defaults to 'cpu'.
        cfg_options (dict, optional): Settings to override, by dotted key. Defaults to None.

    Returns:
        nn.Module: In evaluation mode, with the config as ``cfg`` and, where they are known, the classes of the data as
        ``dataset_meta``.

    Raises:
        FileNotFoundError: If there is no such config or checkpoint.
        InputError: If the checkpoint is not one of this model.
    """
    cfg = load_config(config, cfg_options)
    # our registry first: it makes mmengine's root know the scope
    scope = cfg.get('default_scope') or MODELS.scope
    with DefaultScope.overwrite_default_scope(scope):
        model = ROOT.build(cfg.model)
        if checkpoint is None:
            model.init_weights()
    meta = dict(cfg.get('test_dataloader', {}).get('dataset', {}).get('metainfo') or {})
    if checkpoint is not None:
        # a test-time wrapper wraps the model that was trained
        trained = model.module if isinstance(model, BaseTTAModel) else model
        meta = load_weights(trained, os.fspath(checkpoint)) or meta
    model.cfg = cfg
    model.dataset_meta = meta
    return model.to(device).eval()


def load_weights(model: nn.Module, checkpoint: str) -> dict[str, Any]:
    """Load a checkpoint into a model.

    Args:
        model (nn.Module): The model.
        checkpoint (str): File or URL.

    Returns:
        dict: ``dataset_meta`` of the checkpoint, empty where it has none.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is no checkpoint, or not one of this model.
    """
    if '://' not in checkpoint and not os.path.isfile(checkpoint):
        raise FileNotFoundError(f'no checkpoint {checkpoint}: train the model first, or name another file')
    try:
        # torch.load() has weights_only=True by default in all versions that mmamr works with
        content = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu', logger='silent')
        state = content.get('state_dict', content)
        missing, unexpected = model.load_state_dict(state, strict=False)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
        raise InputError(
            f'{checkpoint} cannot be loaded into {type(model).__name__} ({reason}): '
            'name a checkpoint that was trained with this config'
        ) from None
    if missing or unexpected:
        few = ', '.join([*missing, *unexpected][:3])
        raise InputError(
            f'{checkpoint} does not fit {type(model).__name__}: {len(missing)} weights are missing, '
            f"{len(unexpected)} are not the model's ({few}, …); name a checkpoint that was trained with "
            'this config'
        )
    return dict((content.get('meta') or {}).get('dataset_meta') or {})


def load_rgb(image: Image, channel_order: str = 'bgr') -> np.ndarray:
    """An image as RGB uint8 ``(H, W, 3)``.

    Args:
        image (str | PathLike | np.ndarray): A file, or uint8 of shape ``(H, W, 3)`` or, if grey, ``(H, W)``.
        channel_order (str): ``'bgr'`` or ``'rgb'``: of an array with colours. Defaults to 'bgr'.

    Returns:
        np.ndarray: The image.

    Raises:
        ValueError: If the array is no such image.
    """
    if channel_order not in ('bgr', 'rgb'):
        raise ValueError(f"channel_order must be 'bgr' or 'rgb', but got {channel_order!r}")
    if not isinstance(image, np.ndarray):
        from mmamr.datasets.images import read_image  # mmamr.datasets imports mmseg

        image, channel_order = read_image(os.fspath(image)), 'bgr'
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f'an image must be uint8 of shape (H, W, 3) or (H, W), but got {image.dtype} of {image.shape}')
    return np.ascontiguousarray(image[..., ::-1] if channel_order == 'bgr' else image)


def preprocess(model: nn.Module, image: np.ndarray) -> torch.Tensor:
    """Normalise an RGB image ``(H, W, 3)`` with the model's data preprocessor, which expects BGR as everywhere in mmcv.

    Returns:
        Tensor: ``(1, 3, H, W)``, on the device of the model.
    """
    tensor = torch.from_numpy(np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1)))
    return model.data_preprocessor({'inputs': [tensor]}, False)['inputs']


@torch.no_grad()
def make_cams(
    model: nn.Module,
    images: Image | Sequence[Image],
    labels: Sequence[Sequence[int | str]] | None = None,
    scales: Sequence[float] | None = None,
    flip: bool | None = None,
    channel_order: str = 'bgr',
    score_threshold: float = 0.5,
) -> list[CAM]:
    """CAMs of images, as the CAM stage of the model's config makes them, with climbing if that has it.

    Args:
        model (nn.Module): A :class:`~mmamr.models.CAMClassifier` or :class:`~mmamr.models.AMRClassifier`, e.g. from
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
            inputs = preprocess(model, load_rgb(image, channel_order))
            if labels is None:
                scores = model.predict(inputs)[0].pred_score
                classes = (scores > score_threshold).nonzero()[:, 0].tolist()
            else:
                classes = class_numbers(model, labels[index])
            cams += model.make_cams(inputs, [classes], scales, flip, climbing)
    return cams


def class_names(model: nn.Module) -> list[str]:
    """Names of the foreground classes of a model: their numbers where nobody told."""
    return list(getattr(model, 'dataset_meta', {}).get('classes') or map(str, range(model.num_classes)))


def class_numbers(model: nn.Module, labels: Sequence[int | str]) -> list[int]:
    """Numbers of classes given by number or name.

    Raises:
        ValueError: If the model has no such class.
    """
    names = class_names(model)
    numbers = [names.index(label) if label in names else label for label in labels]
    for number in numbers:
        if isinstance(number, str) or not 0 <= number < model.num_classes:
            raise ValueError(
                f'no class {number!r}: the classes are {", ".join(names)}, or 0 to {model.num_classes - 1}'
            )
    return [int(number) for number in numbers]
