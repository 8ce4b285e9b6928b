"""The classes of a model's masks: their names, the values that they have in files, and their colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .voc import voc_palette


@dataclass
class MaskClasses:
    """The classes that a model tells apart, in the order of its channels.

    Args:
        names (tuple[str, ...]): Their names.
        values (tuple[int, ...]): The value of each in a mask file.
        palette (np.ndarray): RGB uint8, ``(K, 3)``.
        background (int, optional): The one that is no object. Defaults to 0; None where each is one.
    """

    names: tuple[str, ...]
    values: tuple[int, ...]
    palette: np.ndarray
    background: int | None = 0

    IGNORE = 255

    @classmethod
    def of_meta(cls, meta: Mapping[str, Any], num_classes: int, foreground_only: bool = False) -> 'MaskClasses':
        """The classes of a ``dataset_meta``.

        Args:
            meta (Mapping): With ``classes``, ``mask_values`` and ``palette``, each of which may be missing.
            num_classes (int): How many the model has.
            foreground_only (bool): Whether the model's classes, as a classifier's, are without the background.
                Defaults to False.

        Returns:
            MaskClasses: With the background first where ``foreground_only``; numbers stand for missing names.
        """
        extra = int(foreground_only)
        total = num_classes + extra
        names = list(meta.get('classes') or ())
        if len(names) == num_classes and extra:
            names = ['background', *names]
        if len(names) != total:
            names = ['background' if number == 0 else str(number) for number in range(total)]
        values = list(meta.get('mask_values') or ())
        if len(values) == num_classes and extra:
            values = [0, *values]
        known = len(values) == total
        if not known:
            values = list(range(total))
        palette = np.asarray(meta.get('palette') if meta.get('palette') is not None else (), dtype=np.uint8)
        if palette.shape != (total, 3):
            palette = voc_palette()[values]
        # Cityscapes and its like have no background; what SegmentationDataset writes has one in front
        first = 0 if extra or known or names[0].lower() in ('background', '_background_', 'bg') else None
        return cls(tuple(map(str, names)), tuple(map(int, values)), palette, first)

    @property
    def objects(self) -> list[int]:
        """The channels of all classes but the background."""
        return [index for index in range(len(self.names)) if index != self.background]

    @property
    def png_palette(self) -> np.ndarray:
        """256 colours by mask value."""
        colours = voc_palette()
        colours[list(self.values)] = self.palette
        return colours

    def decode(self, indices: np.ndarray) -> np.ndarray:
        """Channels ``(H, W)`` to values of a mask file; 255 stays."""
        table = np.full(256, self.IGNORE, dtype=np.uint8)
        table[: len(self.values)] = self.values
        return table[indices]

    def encode(self, mask: np.ndarray) -> np.ndarray | None:
        """Values of a mask file to channels, the inverse of :meth:`decode`; None where a value has no class."""
        table = np.full(256, -1, dtype=np.int16)
        table[self.IGNORE] = self.IGNORE
        table[list(self.values)] = np.arange(len(self.values))
        indices = table[mask]
        return None if (indices < 0).any() else indices.astype(np.uint8)

    def as_list(self) -> list[dict[str, Any]]:
        """Name, mask value and colour of each class, for JSON."""
        return [
            dict(name=name, value=value, color=colour, background=index == self.background)
            for index, (name, value, colour) in enumerate(zip(self.names, self.values, self.palette.tolist()))
        ]

    def drawn(self, indices: np.ndarray) -> tuple[np.ndarray, Sequence[str], np.ndarray]:
        """Labels, names of the foreground and colours as the pictures take them, which have a background in front."""
        if self.background == 0:
            return indices, self.names[1:], self.palette
        shifted = np.where(indices == self.IGNORE, self.IGNORE, indices + 1).astype(np.uint8)
        return shifted, self.names, np.concatenate([np.zeros((1, 3), dtype=np.uint8), self.palette])
