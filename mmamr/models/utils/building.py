"""A model from a config and a checkpoint."""

import logging
import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.model import BaseModel, BaseTTAModel
from mmengine.registry import MODELS as ROOT
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from mmamr.registry import MODELS
from mmamr.utils import InputError, SettingError, unreadable_reason


def build_model(
    cfg: Config, checkpoint: str | os.PathLike | None = None, device: str | torch.device = 'cpu'
) -> BaseModel:
    """Build the model of a config and load its weights.

    Args:
        cfg (Config): The config.
        checkpoint (str | PathLike, optional): File or URL of the weights; every tensor must fit. Defaults to None: the
            weights that the config starts its training from, which may be downloaded.
        device (str | torch.device): Where the model goes. Defaults to 'cpu'.

    Returns:
        BaseModel: In evaluation mode, with the config as ``cfg`` and, where they are known, the classes of the data as
        ``dataset_meta``.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        InputError: If the checkpoint is not one of this model.
    """
    # our registry first: it makes mmengine's root know the scope
    scope = cfg.get('default_scope') or MODELS.scope
    with DefaultScope.overwrite_default_scope(scope):
        with quiet_log():
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


@contextmanager
def quiet_log() -> Iterator[None]:
    """Let mmengine log warnings only: it tells of each weight how it was initialised, over hundreds of lines."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(max(level, logging.WARNING))
    try:
        yield
    finally:
        logger.setLevel(level)


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
        content = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu', logger='silent')
        state = content.get('state_dict', content)
        missing, unexpected = model.load_state_dict(state, strict=False)
        # counters of BatchNorm came with torch 0.4.1; older files do without, and nothing here reads them
        missing = [name for name in missing if not name.endswith('num_batches_tracked')]
    except InputError:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
        if isinstance(error, pickle.UnpicklingError):
            reason = unreadable_reason(error)
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
    broken = [name for name, value in model.state_dict().items() if not value.isfinite().all()]
    if broken:
        raise InputError(
            f'{checkpoint} holds what is no finite number in {len(broken)} weights ({", ".join(broken[:3])}, …): its '
            'training diverged; name another checkpoint'
        )
    return dict((content.get('meta') or {}).get('dataset_meta') or {})


def preprocess(model: BaseModel, image: np.ndarray) -> torch.Tensor:
    """Normalise an RGB image ``(H, W, 3)`` with the model's data preprocessor, which expects BGR as everywhere in mmcv.

    Returns:
        Tensor: ``(1, 3, H, W)``, on the device of the model.
    """
    tensor = torch.from_numpy(image[..., ::-1].transpose(2, 0, 1).copy())
    return model.data_preprocessor({'inputs': [tensor]}, False)['inputs']


def class_names(model: BaseModel) -> list[str]:
    """Names of the foreground classes of a model: their numbers where nobody told."""
    return list(getattr(model, 'dataset_meta', {}).get('classes') or map(str, range(model.num_classes)))


def class_numbers(model: BaseModel, labels: Sequence[int | str]) -> list[int]:
    """Numbers of classes given by number or name.

    Raises:
        ValueError: If the model has no such class.
    """
    names = class_names(model)
    numbers = [names.index(label) if label in names else label for label in labels]
    for number in numbers:
        if isinstance(number, str) or not 0 <= number < model.num_classes:
            raise SettingError(
                f'no class {number!r}: the classes are {", ".join(names)}, or 0 to {model.num_classes - 1}'
            )
    return [int(number) for number in numbers]
