"""The one place that converts between the three ways a class is counted."""

from collections.abc import Iterable, Sequence

import numpy as np

from mmamr.utils import DatasetError

from .voc import voc_palette

Palette = Sequence[Sequence[int]] | np.ndarray


class ClassIndex:
    """Converts between mask values, training indices and image-level labels.

    ===================  ==========  ====================  =======
    what                 background  foreground            ignored
    ===================  ==========  ====================  =======
    value in a mask PNG  0           ``mask_values``       255
    training index       0           1 to K                255
    image-level label    --          0 to K - 1            --
    ===================  ==========  ====================  =======

    Args:
        classes (Sequence[str]): Names of the K foreground classes.
        mask_values (Sequence[int], optional): The value of each class in the mask files. Defaults to None: 1 to K.
        palette (Sequence[Sequence[int]], optional): RGB colours of the background and the K classes, K + 1 in all.
            Defaults to None: VOC's colours of the mask values.

    Raises:
        ValueError: If names or values repeat, a value is 0, 255 or no byte, or the lengths differ.
    """

    BACKGROUND = 0
    IGNORE = 255

    def __init__(
        self,
        classes: Sequence[str],
        mask_values: Sequence[int] | None = None,
        palette: Sequence[Sequence[int]] | None = None,
    ) -> None:
        self.classes = tuple(classes)
        self.mask_values = tuple(range(1, len(self.classes) + 1) if mask_values is None else mask_values)
        if not self.classes or len(set(self.classes)) < len(self.classes):
            raise ValueError(f'classes must be different names, at least one, got {self.classes}')
        if len(self.mask_values) != len(self.classes) or len(set(self.mask_values)) < len(self.classes):
            raise ValueError(
                f'mask_values must be {len(self.classes)} different values, one a class, got {self.mask_values}'
            )
        if not all(0 < value < self.IGNORE for value in self.mask_values):
            raise ValueError(f'mask_values must lie between 1 and 254, got {self.mask_values}')

        stored = voc_palette()
        values = [self.BACKGROUND, *self.mask_values]
        if palette is not None:
            colours = np.asarray(palette, dtype=np.uint8)
            if colours.shape != (len(values), 3):
                raise ValueError(
                    f'palette must be {len(values)} RGB colours, background first, got shape {colours.shape}'
                )
            stored[values] = colours
        self.png_palette = stored
        self.palette = stored[values]

        # Bytes that no class has become -1, which encode_mask() finds.
        self._encode = np.full(256, -1, dtype=np.int16)
        self._encode[values] = np.arange(len(values))
        self._encode[self.IGNORE] = self.IGNORE
        self._decode = np.full(256, self.IGNORE, dtype=np.uint8)
        self._decode[: len(values)] = values
        self._labels = {name: label for label, name in enumerate(self.classes)}

    @property
    def num_classes(self) -> int:
        """K, the number of foreground classes."""
        return len(self.classes)

    def encode_mask(self, mask: np.ndarray) -> np.ndarray:
        """Values of a mask file to training indices.

        Args:
            mask (np.ndarray): uint8 of any shape, as stored.

        Returns:
            np.ndarray: uint8 of the same shape: 0 background, 1 to K, 255 ignored.

        Raises:
            DatasetError: If a value belongs to no class.
        """
        encoded = self._encode[mask]
        if (encoded < 0).any():
            unknown = np.unique(np.asarray(mask)[encoded < 0]).tolist()
            known = [self.BACKGROUND, *self.mask_values, self.IGNORE]
            raise DatasetError(
                f'mask values {unknown} belong to no class, expected {known}; set mask_values in metainfo',
                kind='unknown mask value',
            )
        return encoded.astype(np.uint8)

    def decode_mask(self, indices: np.ndarray) -> np.ndarray:
        """Training indices to values of a mask file, the inverse of :meth:`encode_mask`.

        Args:
            indices (np.ndarray): 0 background, 1 to K, 255 ignored, of any shape.

        Returns:
            np.ndarray: uint8 of the same shape.

        Raises:
            ValueError: If an index is neither.
        """
        indices = np.asarray(indices)
        wrong = (indices < 0) | ((indices > self.num_classes) & (indices != self.IGNORE))
        if wrong.any():
            raise ValueError(
                f'indices {np.unique(indices[wrong]).tolist()} are neither 0 to {self.num_classes} nor {self.IGNORE}'
            )
        return self._decode[indices]

    def labels_in_mask(self, mask: np.ndarray) -> list[int]:
        """Image-level labels of a mask as it is stored, ascending; background and ignored pixels give none.

        Raises:
            DatasetError: If a value belongs to no class.
        """
        present = np.flatnonzero(np.bincount(np.ravel(mask), minlength=256))
        indices = self.encode_mask(present.astype(np.uint8))
        return sorted(int(i) - 1 for i in indices if i not in (self.BACKGROUND, self.IGNORE))

    def labels_of_names(self, names: Iterable[str]) -> list[int]:
        """Image-level labels of class names, ascending, each once.

        Raises:
            DatasetError: If a name is no class.
        """
        names = set(names)
        unknown = sorted(names - self._labels.keys())
        if unknown:
            raise DatasetError(
                f'unknown class {", ".join(map(repr, unknown))}, the classes are '
                f'{", ".join(self.classes)}; mend the name or set classes in metainfo',
                kind='unknown class',
            )
        return sorted(self._labels[name] for name in names)
