"""CAMs that a dense CRF fits to the image, and where they are surely foreground or surely background."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmamr.utils import InputError, check_number

from .dense_crf import AFFINITYNET_CRF, IRNET_CRF, CRFParams, DenseCRF

__all__ = ['affinity_label_affinitynet', 'affinity_label_irnet', 'crf_label']

IGNORE = 255


def crf_label(
    image: np.ndarray,
    cam: np.ndarray,
    classes: Sequence[int] | np.ndarray,
    threshold: float = 0.2,
    crf: CRFParams = IRNET_CRF,
    **crf_options: Any,
) -> np.ndarray:
    """Labels from a CAM and a dense CRF alone, without affinities: the "CAM + CRF" of the field's tables.

    The background is a map of its own, constant at the threshold; a dense CRF takes the strongest map of each pixel for
    its label and fits the labels to the image.

    Args:
        image (np.ndarray): uint8 photo, ``(H, W)`` or ``(H, W, 3)``.
        cam (np.ndarray): Maps of the image's classes in [0, 1], at the size of the image, ``(K, H, W)``.
        classes (Sequence[int] | np.ndarray): Index of each map's class, counted from 0 without background.
        threshold (float): The background. Defaults to 0.2.
        crf (CRFParams): Parameters of the CRF. Defaults to IRNet's.
        **crf_options: Passed to :func:`dense_crf`: ``backend``, ``device`` or single parameters.

    Returns:
        np.ndarray: uint8 ``(H, W)``: 0 background, class index + 1 foreground.

    Raises:
        ValueError: If the arguments do not fit together.
    """
    cam, values = _check(image, cam, classes)
    check_number('threshold', threshold, 0, 1)
    return _fit_threshold(DenseCRF(image, crf, **crf_options), cam, values, threshold)


def affinity_label_irnet(
    image: np.ndarray,
    cam: np.ndarray,
    classes: Sequence[int] | np.ndarray,
    fg_threshold: float = 0.30,
    bg_threshold: float = 0.05,
    crf: CRFParams = IRNET_CRF,
    **crf_options: Any,
) -> np.ndarray:
    """Confident labels from two thresholds (IRNet, Ahn et al., CVPR 2019).

    :func:`crf_label` gives foreground that is sure at the high threshold, and background that is sure at the low one.

    Args:
        image (np.ndarray): uint8 photo, ``(H, W)`` or ``(H, W, 3)``.
        cam (np.ndarray): Maps of the image's classes in [0, 1], at the size of the image, ``(K, H, W)``.
        classes (Sequence[int] | np.ndarray): Index of each map's class, counted from 0 without background.
        fg_threshold (float): Foreground is sure above this. AMR's released code has 0.60. Defaults to 0.30.
        bg_threshold (float): Background is sure below this. AMR's released code has 0.33. Defaults to 0.05.
        crf (CRFParams): Parameters of the CRF. Defaults to IRNet's.
        **crf_options: Passed to :func:`dense_crf`: ``backend``, ``device`` or single parameters.

    Returns:
        np.ndarray: uint8 ``(H, W)``: 0 background, class index + 1 foreground, 255 where neither is sure.

    Raises:
        ValueError: If the arguments do not fit together.
    """
    if not 0 <= bg_threshold <= fg_threshold <= 1:
        raise InputError(f'0 <= bg_threshold <= fg_threshold <= 1 must hold, got {bg_threshold} and {fg_threshold}')
    cam, values = _check(image, cam, classes)
    fit = DenseCRF(image, crf, **crf_options)
    return _combine(*(_fit_threshold(fit, cam, values, threshold) for threshold in (fg_threshold, bg_threshold)))


def affinity_label_affinitynet(
    image: np.ndarray,
    cam: np.ndarray,
    classes: Sequence[int] | np.ndarray,
    low_alpha: float = 4,
    high_alpha: float = 24,
    crf: CRFParams = AFFINITYNET_CRF,
    **crf_options: Any,
) -> np.ndarray:
    """Confident labels from two background powers (AffinityNet, Ahn & Kwak, CVPR 2018, section 3.2.1).

    The background is ``(1 - max cam)**alpha``. A low power strengthens it, so that the foreground that is left is sure;
    a high power weakens it, so that the background that is left is.

    Args:
        image (np.ndarray): uint8 photo, ``(H, W)`` or ``(H, W, 3)``.
        cam (np.ndarray): Maps of the image's classes in [0, 1], at the size of the image, ``(K, H, W)``.
        classes (Sequence[int] | np.ndarray): Index of each map's class, counted from 0 without background.
        low_alpha (float): Power that finds sure foreground. Defaults to 4.
        high_alpha (float): Power that finds sure background. Defaults to 24.
        crf (CRFParams): Parameters of the CRF. Defaults to AffinityNet's.
        **crf_options: Passed to :func:`dense_crf`: ``backend``, ``device`` or single parameters.

    Returns:
        np.ndarray: uint8 ``(H, W)``: 0 background, class index + 1 foreground, 255 where neither is sure.

    Raises:
        ValueError: If the arguments do not fit together.
    """
    cam, values = _check(image, cam, classes)
    if not 0 < low_alpha <= high_alpha:
        raise InputError(f'0 < low_alpha <= high_alpha must hold, got {low_alpha} and {high_alpha}')

    fit = DenseCRF(image, crf, **crf_options)

    def label(alpha: float) -> np.ndarray:
        background = (1 - cam.max(0, keepdims=True, initial=0)) ** alpha
        return values[fit(np.concatenate([background, cam])).argmax(0)]

    return _combine(label(low_alpha), label(high_alpha))


def _fit_threshold(fit: DenseCRF, cam: np.ndarray, values: np.ndarray, threshold: float) -> np.ndarray:
    """Labels of maps and a constant background that the CRF fits to its image."""
    background = np.full_like(cam, threshold, shape=(1, *cam.shape[1:]))
    seeds = np.concatenate([background, cam]).argmax(0)
    return values[fit(seeds, num_labels=len(values)).argmax(0)]


def _check(image: np.ndarray, cam: np.ndarray, classes: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Check what the label functions take; give the maps in float32 and the label of background and of each map."""
    cam = np.asarray(cam)
    values = np.asarray([0, *(int(index) + 1 for index in classes)])
    if cam.ndim != 3 or cam.dtype.kind != 'f' or cam.shape[1:] != np.shape(image)[:2]:
        raise InputError(
            f'cam must be floats (K, H, W) of the size of the image, {np.shape(image)[:2]}, got {cam.dtype} {cam.shape}'
        )
    if len(values) != len(cam) + 1 or len(set(values)) != len(values) or values.max() >= IGNORE or values.min() < 0:
        raise InputError(f'classes must be {len(cam)} different indices in 0 to {IGNORE - 2}, got {list(classes)}')
    if not ((cam >= -1e-3) & (cam <= 1 + 1e-3)).all():  # resizing may leave the bounds by a rounding error
        raise InputError('cam must lie in [0, 1]: apply ReLU and divide each map by its maximum first')
    return cam.astype(np.float32).clip(0, 1), values.astype(np.uint8)


def _combine(sure_foreground: np.ndarray, sure_background: np.ndarray) -> np.ndarray:
    """Foreground of the first map, background where both maps have it, else unsure."""
    label = np.where(sure_foreground == 0, IGNORE, sure_foreground)
    label[(sure_foreground == 0) & (sure_background == 0)] = 0
    return label.astype(np.uint8)
