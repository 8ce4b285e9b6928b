"""The IoU of a single image, to find the images that a label or a model gets wrong."""

import numpy as np

from .threshold_sweep import IGNORE, scores


def image_iou(label: np.ndarray, truth: np.ndarray) -> float | None:
    """mIoU of one image over the background and the classes that the label or the truth shows.

    Args:
        label (np.ndarray): ``(H, W)``: 0 background, c + 1 foreground, 255 unsure; unsure pixels do not count.
        truth (np.ndarray): As ``label``; 255 is ignored.

    Returns:
        float, optional: In percent; None where no pixel counts.

    Raises:
        ValueError: If the sizes differ.
    """
    if label.shape != truth.shape:
        raise ValueError(f'the label has size {label.shape}, the truth {truth.shape}')
    valid = (label != IGNORE) & (truth != IGNORE)
    if not valid.any():
        return None
    rows, columns = truth[valid].astype(np.int64), label[valid].astype(np.int64)
    size = int(max(rows.max(), columns.max())) + 1
    confusion = np.bincount(rows * size + columns, minlength=size * size).reshape(size, size)
    return float(scores(confusion)['miou'])
