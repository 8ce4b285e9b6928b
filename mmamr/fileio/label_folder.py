from collections.abc import Sequence

import numpy as np

from mmamr.structures import ClassIndex
from mmamr.utils import DatasetError, write_png

from .folder import FilesFolder
from .images import read_mask


class LabelFolder(FilesFolder):
    """Label maps of a data set, such as pseudo labels or affinity labels: palette PNGs ``<folder>/<id>.png``.

    The files have the mask values of the data set and 255 where a pixel is unsure; arrays have training indices.

    Args:
        folder (str): The folder.
        class_index (ClassIndex): Converts between the two.
    """

    suffix = '.png'

    def __init__(self, folder: str, class_index: ClassIndex) -> None:
        super().__init__(folder)
        self.class_index = class_index

    def read(self, img_id: str, size: Sequence[int] | None = None) -> np.ndarray:
        """Read and check the label of an image.

        Args:
            img_id (str): Id of the image.
            size (Sequence[int], optional): Height and width that the image has. Defaults to None: not checked.

        Returns:
            np.ndarray: uint8 ``(H, W)``: 0 background, c + 1 foreground, 255 unsure.

        Raises:
            DatasetError: If the file is missing, broken, of another size or has a value that no class has.
        """
        return read_mask(self.path(img_id), self.class_index, size)

    def write(self, img_id: str, label: np.ndarray) -> None:
        """Write the label of an image whole.

        Args:
            img_id (str): Id of the image.
            label (np.ndarray): ``(H, W)``: 0 background, c + 1 foreground, 255 unsure.
        """
        write_png(self.path(img_id), self.class_index.decode_mask(label), self.class_index.png_palette)

    def is_valid(self, img_id: str, size: Sequence[int]) -> bool:
        """Whether a whole label of an image is there, of this height and width, with values of the classes only."""
        try:
            self.read(img_id, size)
        except DatasetError:
            return False
        return True
