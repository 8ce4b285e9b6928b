"""The one place that converts between the three ways a class is counted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from mmamr.utils import DatasetError

from .voc import voc_palette

Palette = Sequence[Sequence[int]] | np.ndarray
MAX_CLASSES = 254
"""Foreground classes that an 8-bit mask can have beside the background and ignored pixels."""
BACKGROUND_NAME = 'background'
IGNORED_NAMES = ('ignored', 'ignore', 'void')


class ClassIndex:
    """Converts between mask values or colours, training indices and image-level labels.

    ===================  ====================  ====================  =================
    what                 background            foreground            ignored
    ===================  ====================  ====================  =================
    value in a mask PNG  ``background_value``  ``mask_values``       ``ignore_values``
    training index       0                     1 to K                255
    image-level label    --                    0 to K - 1            --
    ===================  ====================  ====================  =================

    Masks in RGB are read by their colours. An indexed mask is read by its values, unless its palette shows the colours
    of the classes at other values: then the colours count if ``mask_colors`` is given, and else nothing does.

    Args:
        classes (Sequence[str]): Names of the K foreground classes. With more than 254 there can be no masks.
        mask_values (Sequence[int], optional): The value of each class in the mask files. Defaults to None: 1 to K.
        palette (Sequence[Sequence[int]], optional): RGB colours of the background and the K classes, K + 1 in all.
            Defaults to None: those of ``mask_colors``, else VOC's colours of the mask values.
        background_value (int): Value of the background. Defaults to 0.
        ignore_values (Sequence[int], optional): Values of pixels that do not count. Defaults to None: 255, or none
            where 255 is a class or the background. The first is the one that is written; where there is none, it is the
            largest value that is free.
        mask_colors (Mapping | str, optional): RGB colour, or several, of each class in the masks by its name, and of
            ``'background'`` and ``'ignored'`` where they are not black and VOC's (224, 224, 192). ``'palette'``: those
            of ``palette``; ``'values'``: indexed masks are read by their values, whatever their palette. Defaults to
            None: RGB masks have the colours of ``palette``.

    Raises:
        ValueError: If names, values or colours repeat, a value is no byte, or the lengths differ.
    """

    BACKGROUND = 0
    IGNORE = 255
    METAINFO_KEYS = ('classes', 'mask_values', 'palette', 'background_value', 'ignore_values', 'mask_colors')

    def __init__(
        self,
        classes: Sequence[str],
        mask_values: Sequence[int] | int | None = None,
        palette: Palette | None = None,
        background_value: int = 0,
        ignore_values: Sequence[int] | int | None = None,
        mask_colors: Mapping[str, Any] | str | None = None,
    ) -> None:
        # one name or number is a sequence of one, as it comes from a command line
        self.classes = (classes,) if isinstance(classes, str) else tuple(classes)
        if not self.classes or len(set(self.classes)) < len(self.classes):
            repeated = [name for name, count in Counter(self.classes).items() if count > 1]
            raise ValueError(f'classes must be different names, at least one, got {_few(repeated or self.classes)}')
        self.fits_masks = len(self.classes) <= MAX_CLASSES
        if not self.fits_masks and mask_values is not None:
            raise ValueError(
                f'{len(self.classes)} classes have no mask_values: a mask has {MAX_CLASSES} classes at most'
            )
        self.mask_values = _listed(range(1, len(self.classes) + 1) if mask_values is None else mask_values)
        self.background_value = background_value
        if ignore_values is None:
            ignore_values = () if self.IGNORE in (background_value, *self.mask_values) else (self.IGNORE,)
        self.ignore_values = _listed(ignore_values)
        values = [background_value, *self.mask_values]
        if self.fits_masks:
            self._check_values()

        stored = voc_palette()
        if mask_colors is not None and not isinstance(mask_colors, str):
            self.mask_colors: dict[str, list] | str | None = _colors_by_name(mask_colors, self.classes)
        elif mask_colors in (None, 'palette', 'values'):
            self.mask_colors = mask_colors
        else:
            raise ValueError(f"mask_colors must be colours by name, 'palette' or 'values', got {mask_colors!r}")
        if palette is None and isinstance(self.mask_colors, dict):
            palette = [self._background_color(), *(self.mask_colors[name][0] for name in self.classes)]
        if not self.fits_masks:
            stored = voc_palette(len(values))
            values = list(range(len(values)))
        if palette is not None:
            colours = np.asarray(palette, dtype=np.uint8)
            if colours.shape != (len(values), 3):
                raise ValueError(
                    f'palette must be {len(values)} RGB colours, background first, got shape {colours.shape}'
                )
            stored[values] = colours
        self.palette = stored[values]
        self._labels = {name: label for label, name in enumerate(self.classes)}
        if self.fits_masks:
            free = set(range(256)) - set(values)
            self.ignore_value = self.ignore_values[0] if self.ignore_values else max(free)
            self.ignored_color, self.ignored_color_is_known = self._ignored_color()
            stored[self.ignore_value] = self.ignored_color
            self._fill_tables(values)
        self.png_palette = stored[:256]

    @classmethod
    def from_metainfo(cls, metainfo: Mapping[str, Any]) -> 'ClassIndex':
        """The class index that the ``metainfo`` of a data set describes; other keys are left out.

        Raises:
            ValueError: As the class does.
        """
        keys = [key for key in cls.METAINFO_KEYS if metainfo.get(key) is not None]
        return cls(**{key: metainfo[key] for key in keys})

    def metainfo(self) -> dict[str, Any]:
        """What :meth:`from_metainfo` makes the same class index of; values that nobody changes are left out."""
        meta: dict[str, Any] = dict(classes=self.classes, palette=self.palette.tolist())
        if self.fits_masks:
            meta['mask_values'] = self.mask_values
        if self.background_value != self.BACKGROUND:
            meta['background_value'] = self.background_value
        if self.ignore_values != (self.IGNORE,):
            meta['ignore_values'] = self.ignore_values
        if self.mask_colors is not None:
            meta['mask_colors'] = self.mask_colors
        return meta

    def _check_values(self) -> None:
        """Refuse values that repeat or that no mask can hold."""
        if len(self.mask_values) != len(self.classes) or len(set(self.mask_values)) < len(self.classes):
            raise ValueError(
                f'mask_values must be {len(self.classes)} different values, one a class, got {_few(self.mask_values)}'
            )
        values = (self.background_value, *self.mask_values, *self.ignore_values)
        wrong = [value for value in values if not isinstance(value, Integral) or not 0 <= value <= 255]
        if wrong:
            raise ValueError(f'mask_values, background_value and ignore_values must lie between 0 and 255, got {wrong}')
        repeated = [value for value, count in Counter(values).items() if count > 1]
        if repeated:
            raise ValueError(
                'mask_values, background_value and ignore_values must be different values between 0 and 255, but '
                f'{repeated[0]} is there twice'
            )

    def _fill_tables(self, values: list[int]) -> None:
        """From byte to index and back, and from colour to index; -1 is a byte or a colour that no class has."""
        self._encode = np.full(256, -1, dtype=np.int16)
        self._encode[values] = np.arange(len(values))
        self._encode[[self.ignore_value, *self.ignore_values]] = self.IGNORE
        self._decode = np.full(256, self.ignore_value, dtype=np.uint8)
        self._decode[: len(values)] = values
        self._foreign: dict[int, str] = {}
        if isinstance(self.mask_colors, dict):
            indices = self._indices_by_name(self.mask_colors)
        else:
            packed = [_packed(color) for color in self.palette.tolist()]
            indices = {color: index if packed.count(color) == 1 else -1 for index, color in enumerate(packed)}
        if 0 not in indices.values():
            indices.setdefault(0, 0)
        if self.ignored_color_is_known:
            indices.setdefault(_packed(self.ignored_color), self.IGNORE)
        colours = sorted(indices)
        self._colours = np.asarray(colours, dtype=np.int32)
        self._colour_indices = np.asarray([indices[colour] for colour in colours], dtype=np.int16)

    def _indices_by_name(self, colors_by_name: Mapping[str, list]) -> dict[int, int]:
        """Training index of each colour that has a name, -1 of those whose name is no class."""
        known = {**{name: self.IGNORE for name in IGNORED_NAMES}, BACKGROUND_NAME: self.BACKGROUND}
        known.update({name: label + 1 for name, label in self._labels.items()})
        indices: dict[int, int] = {}
        for name, colors in colors_by_name.items():
            index = known.get(name, -1)
            for color in colors:
                if indices.setdefault(_packed(color), index) != index:
                    raise ValueError(f'mask_colors has {tuple(color)} twice, once as {name!r}')
                if index < 0:
                    self._foreign[_packed(color)] = name
        return indices

    def _ignored_color(self) -> tuple[list[int], bool]:
        """The colour of ignored pixels: named, or VOC's; or, as False says, just one that is free."""
        taken = self.palette.tolist()
        if isinstance(self.mask_colors, dict):
            taken += [color for colors in self.mask_colors.values() for color in colors]
            for name in IGNORED_NAMES:
                if name in self.mask_colors and name not in self._labels:
                    return self.mask_colors[name][0], True
        greys = ([value] * 3 for value in range(255, 0, -1))
        cream = voc_palette()[self.IGNORE].tolist()
        return (cream, True) if cream not in taken else (next(color for color in greys if color not in taken), False)

    def _background_color(self) -> list[int]:
        """The first colour of the background, black where nobody named one."""
        assert isinstance(self.mask_colors, dict)
        if BACKGROUND_NAME in self.mask_colors and BACKGROUND_NAME not in self.classes:
            return self.mask_colors[BACKGROUND_NAME][0]
        black = next((name for name, colors in self.mask_colors.items() if [0, 0, 0] in colors), None)
        if black is not None:
            raise ValueError(f"mask_colors needs a colour of 'background', since {black!r} is black")
        return [0, 0, 0]

    @property
    def num_classes(self) -> int:
        """K, the number of foreground classes."""
        return len(self.classes)

    def encode_mask(self, mask: np.ndarray, palette: np.ndarray | None = None) -> np.ndarray:
        """Values or colours of a mask file to training indices.

        Args:
            mask (np.ndarray): uint8, as stored: values of any shape, or colours ``(H, W, 3)`` in RGB.
            palette (np.ndarray, optional): RGB colours ``(N, 3)`` of the values, of an indexed file. Defaults to None.

        Returns:
            np.ndarray: uint8 of the same shape, of colours ``(H, W)``: 0 background, 1 to K, 255 ignored.

        Raises:
            DatasetError: If a value or a colour belongs to no class, or the two contradict each other.
        """
        self._refuse_many_classes()
        mask = np.asarray(mask)
        if mask.ndim == 3 and mask.shape[2] == 3 and palette is None:
            return self._encode_colours(mask)
        table = self._encode
        if palette is not None and self.mask_colors != 'values':
            table = self._table_of_palette(mask, palette)
        encoded = table[mask]
        if (encoded < 0).any():
            unknown = np.unique(mask[encoded < 0]).tolist()
            known = [self.background_value, *self.mask_values, *self.ignore_values]
            raise DatasetError(
                f'mask values {_few(unknown)} belong to no class, expected {_few(known)}; set mask_values in metainfo, '
                'and background_value or ignore_values',
                kind='unknown mask value',
            )
        return encoded.astype(np.uint8)

    def _encode_colours(self, mask: np.ndarray) -> np.ndarray:
        """Training indices of colours; a mask that is only saved in colours, but grey, has values."""
        packed = mask[..., 0].astype(np.int32) << 16 | mask[..., 1].astype(np.int32) << 8 | mask[..., 2]
        encoded = self._indices_of_colours(packed)
        if (encoded < 0).any():
            if (mask[..., 0] == mask[..., 1]).all() and (mask[..., 0] == mask[..., 2]).all():
                return self.encode_mask(mask[..., 0])
            unknown = np.unique(packed[encoded < 0]).tolist()
            foreign = [f'of {self._foreign[one]!r}' for one in unknown if one in self._foreign]
            shown = foreign or [str((one >> 16, one >> 8 & 255, one & 255)) for one in unknown]
            many = f' and {len(shown) - 3} more' if len(shown) > 3 else ''
            raise DatasetError(
                f'the colours {", ".join(shown[:3])}{many} belong to no class; name the colours in metainfo '
                "(mask_colors), or put CVAT's labelmap.txt into data_root",
                kind='unknown mask colour',
            )
        return encoded.astype(np.uint8)

    def _indices_of_colours(self, packed: np.ndarray) -> np.ndarray:
        """Training index of each colour, -1 of those that no class has."""
        place = np.searchsorted(self._colours, packed).clip(max=len(self._colours) - 1)
        return np.where(self._colours[place] == packed, self._colour_indices[place], np.int16(-1))

    def _table_of_palette(self, mask: np.ndarray, palette: np.ndarray) -> np.ndarray:
        """The training index of each value of an indexed mask, by value or by colour."""
        used = np.flatnonzero(np.bincount(mask.ravel(), minlength=256)[: len(palette)])
        colours = np.asarray(palette, dtype=np.int32)[used] @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32)
        by_colour = self._indices_of_colours(colours)
        known = by_colour >= 0
        differ = known & (by_colour != self._encode[used])
        # whoever named the colours wants them; else they must leave no doubt to be a reason to stop
        named = self.mask_colors is not None and (by_colour > 0).any()
        clear = known.all() and len(set(by_colour.tolist())) == len(used)
        if not differ.any() or not (named or clear):
            return self._encode
        if self.mask_colors is None:
            value = int(used[differ][0])
            color = tuple(np.asarray(palette)[value].tolist())
            name = self._name_of(int(by_colour[used == value][0]))
            raise DatasetError(
                f'value {value} has the colour {color} of {name} in the palette of the mask, but {name} has another '
                "value; set mask_colors in metainfo to 'palette' if the colours are right, to 'values' if the values "
                'are',
                kind='palette of another order',
            )
        table = np.full(256, -1, dtype=np.int16)
        table[used] = by_colour
        return table

    def _name_of(self, index: int) -> str:
        """What a training index is called."""
        named = {self.BACKGROUND: 'the background', self.IGNORE: 'ignored pixels'}
        return named.get(index) or self.classes[index - 1]

    def _refuse_many_classes(self) -> None:
        if not self.fits_masks:
            raise DatasetError(
                f'{len(self.classes)} classes do not fit into a mask, which has {MAX_CLASSES} at most; name fewer '
                'classes, or stop at the CAMs and leave out mask_dir',
                kind='too many classes',
            )

    def decode_mask(self, indices: np.ndarray) -> np.ndarray:
        """Training indices to values of a mask file, the inverse of :meth:`encode_mask`.

        Args:
            indices (np.ndarray): 0 background, 1 to K, 255 ignored, of any shape.

        Returns:
            np.ndarray: uint8 of the same shape.

        Raises:
            ValueError: If an index is neither.
        """
        self._refuse_many_classes()
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
                f'{_few(self.classes)}; mend the name or set classes in metainfo',
                kind='unknown class',
            )
        return sorted(self._labels[name] for name in names)


def _few(values: Sequence[Any], limit: int = 20) -> str:
    """Values for a message, names without quotes: all of them, or the first and last of many."""
    texts = list(map(str, values))
    shown = texts if len(texts) <= limit else [*texts[:3], '…', texts[-1]]
    joined = ', '.join(shown)
    return joined if values and isinstance(values[0], str) else f'[{joined}]'


def _listed(values: Sequence[int] | int) -> tuple[int, ...]:
    """Values as a tuple; one number is a sequence of one."""
    return (int(values),) if isinstance(values, Integral) else tuple(values)  # type: ignore[arg-type]


def _packed(color: Sequence[int]) -> int:
    """A colour as one number."""
    red, green, blue = (int(channel) for channel in color)
    return red << 16 | green << 8 | blue


def _colors_by_name(colors: Mapping[str, Any], classes: Sequence[str]) -> dict[str, list]:
    """Lists of RGB colours by name, checked.

    Raises:
        ValueError: If a class has none, or something is no colour.
    """
    checked = {}
    for name, value in colors.items():
        array = np.asarray(value)
        several = array[None] if array.ndim == 1 else array
        if several.ndim != 2 or several.shape[1] != 3 or several.dtype.kind not in 'iu' or not len(several):
            raise ValueError(f'mask_colors: {name!r} needs RGB colours such as (128, 0, 0), got {value!r}')
        if several.min() < 0 or several.max() > 255:
            raise ValueError(f'mask_colors: {name!r} needs numbers from 0 to 255, got {value!r}')
        checked[str(name)] = several.tolist()
    missing = [name for name in classes if name not in checked]
    if missing:
        raise ValueError(f'mask_colors has no colour of {missing[0]}, only of {_few(list(checked))}')
    return checked
