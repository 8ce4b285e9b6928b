"""Constants of PASCAL VOC."""

import numpy as np

VOC_CLASSES = (
    'aeroplane',
    'bicycle',
    'bird',
    'boat',
    'bottle',
    'bus',
    'car',
    'cat',
    'chair',
    'cow',
    'diningtable',
    'dog',
    'horse',
    'motorbike',
    'person',
    'pottedplant',
    'sheep',
    'sofa',
    'train',
    'tvmonitor',
)


def voc_palette(num_colours: int = 256) -> np.ndarray:
    """The colours of VOC's masks: the bits of an index, three at a time, fill red, green and blue from the top.

    Args:
        num_colours (int): How many colours. Defaults to 256.

    Returns:
        np.ndarray: uint8 RGB of shape ``(num_colours, 3)``; 0 is black, 255 (ignored) is cream.
    """
    index = np.arange(num_colours)
    palette = np.zeros((num_colours, 3), dtype=np.uint8)
    for level in range(8):
        for channel in range(3):
            bit = (index >> (3 * level + channel)) & 1
            palette[:, channel] |= (bit << (7 - level)).astype(np.uint8)
    return palette
