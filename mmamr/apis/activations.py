"""Activations before and after an AMM on real images (Fig. 3)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from mmamr.utils import InputError, evaluating

from .inference import Image, load_rgb, preprocess


def find_amm(model: nn.Module, name: str | None = None) -> tuple[str, nn.Module]:
    """One AMM of a model: that of a full name, or the last.

    Raises:
        InputError: If there is none, or none of this name; the message names those there are.
    """
    from mmamr.models.modulation import choose_amm  # mmamr.models imports mmpretrain

    try:
        return choose_amm(model, name)
    except ValueError as error:
        raise InputError(str(error)) from None


@torch.inference_mode()
def activations_of(
    model: nn.Module, images: Sequence[Image], module: str | None = None, channel_order: str = 'bgr'
) -> tuple[str, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Values before and after an AMM, and before and after the modulation functions of its halves.

    Args:
        model (nn.Module): A classifier, e.g. from :func:`init_model`. Its mode is restored and no hook stays.
        images (Sequence[str | PathLike | np.ndarray]): Files or uint8 arrays ``(H, W, 3)`` of any size.
        module (str, optional): Full name of the AMM. Defaults to None: the last of the network.
        channel_order (str): ``'bgr'``, as mmcv and OpenCV read images, or ``'rgb'``: of arrays. Defaults to 'bgr'.

    Returns:
        tuple[str, dict]: Name of the AMM; and name to flat arrays before and after, of ``'features'`` and, as far as
        the AMM has them, ``'channel attention'`` and ``'spatial attention'``. Long ones are thinned evenly.

    Raises:
        InputError: If the model has no such AMM.
    """
    from mmamr.models.modulation import recording

    name, amm = find_amm(model, module)
    with evaluating(model), recording(amm) as record:
        for image in images:
            model.class_maps(preprocess(model, load_rgb(image, channel_order)))
    return name, {what: tuple(torch.cat(part).numpy() for part in pair) for what, pair in record.items()}
