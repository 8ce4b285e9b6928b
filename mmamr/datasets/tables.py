"""Tables of image-level labels, as people and tools write them: CSV with a column of labels, or a column a class."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mmamr.utils import DatasetError

from .splits import strip_image_suffix

IMAGE_COLUMNS = (
    'image',
    'filename',
    'file_name',
    'file',
    'img',
    'photo',
    'path',
    'filepath',
    'image_path',
    'image_name',
    'image_id',
    'img_id',
    'id',
)
"""Names of the column that names the image, the first that is there."""
LABEL_COLUMNS = (
    'label',
    'labels',
    'tag',
    'tags',
    'class',
    'classes',
    'category',
    'categories',
    'choice',
    'choices',
    'class_name',
)
"""Names of the column of labels, the first that is there."""
DELIMITERS = (',', ';', '\t')
SEPARATORS = (';', '|', ',')
YES = {'1', '1.0', 'true', 'yes', 'x'}
NO = {'', '0', '0.0', 'false', 'no'}


@dataclass
class LabelRows:
    """The rows of a table of labels.

    Args:
        path (str): The file.
        rows (list): Line number, name of the image and names of its classes, in the order of the file.
        classes (list[str]): The classes, where the table has a column for each; else none.
    """

    path: str
    rows: list[tuple[int, str, list[str]]] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)


def read_label_rows(path: str, classes: Sequence[str] = ()) -> LabelRows:
    """Read a table of labels.

    The delimiter is ``,``, ``;`` or a tab, whichever makes a header of the first line: ``image,label`` in any case, or
    one of :data:`IMAGE_COLUMNS` and :data:`LABEL_COLUMNS`; other columns are not read. Labels in a cell are separated
    by ``;``, else by ``|``, else by ``,``: by the first of them that any cell of the column has, so that
    ``"a, b;c"`` are two labels. Without a column of labels all other columns must be classes with 0 and 1.

    Args:
        path (str): The file, in UTF-8, or UTF-16 with its mark.
        classes (Sequence[str]): Names of classes, which are never taken apart. Defaults to none.

    Raises:
        DatasetError: If the file is missing or no such table: one line with the file and the cure.
    """
    lines = _read_cells(path)
    number, header = lines[0] if lines else (1, [])
    names = [_fold(name) for name in header]
    image = _column(names, IMAGE_COLUMNS)
    label = _column(names, LABEL_COLUMNS, without=image)
    if image is None or len(header) < 2:
        raise DatasetError(f"{path}: the first line must be the header 'image,label'", kind='broken label')
    for name in (names[image], *([names[label]] if label is not None else names)):
        if name and names.count(name) > 1:
            raise DatasetError(f'{path}: the header has {name!r} twice; rename one', kind='broken label')
    for number, cells in lines[1:]:
        if len(cells) < len(header) or any(cells[len(header) :]):
            raise DatasetError(
                f'{path}, line {number}: {len(cells)} cells, but the header has {len(header)}; labels of one image are '
                'joined by ";" in one cell, which is empty for an image without labels',
                kind='broken label',
            )
    if label is not None:
        separator = _separator([cells[label] for _, cells in lines[1:]], classes)
        rows = [(number, cells[image], labels_in_cell(cells[label], separator, classes)) for number, cells in lines[1:]]
        return LabelRows(path, rows)
    columns = [place for place, name in enumerate(names) if place != image and name]
    for number, cells in lines[1:]:
        wrong = next((place for place in columns if cells[place].lower() not in YES | NO), None)
        if wrong is not None:
            raise DatasetError(
                f"{path}: the first line must be the header 'image,label', or name classes with 0 and 1 below them; "
                f'line {number} has {cells[wrong]!r}',
                kind='broken label',
            )
    rows = [
        (number, cells[image], [header[place] for place in columns if cells[place].lower() in YES])
        for number, cells in lines[1:]
    ]
    return LabelRows(path, rows, [header[place] for place in columns])


def labels_in_cell(cell: str, separator: str, classes: Sequence[str] = ()) -> list[str]:
    """The labels in one cell, also where it holds JSON, as tools write lists of choices."""
    if cell in classes:
        return [cell]
    if cell.startswith(('[', '{')):
        try:
            return list(_texts(json.loads(cell)))
        except ValueError:
            if cell.startswith('[') and cell.endswith(']'):  # a list as Python prints it
                cell, separator = cell[1:-1], ','
                return [name for part in cell.split(separator) if (name := part.strip().strip('\'"'))]
    return [name for part in cell.split(separator) if (name := part.strip())]


def is_label_table(path: str) -> bool:
    """Whether a file begins as a table that :func:`read_label_rows` may read."""
    try:
        rows = _cells(_decode(path, 65536))[:20]
    except (OSError, UnicodeDecodeError, csv.Error):  # UTF-16 may be cut, too
        return False
    names = [_fold(name) for name in rows[0][1]] if rows else []
    image = _column(names, IMAGE_COLUMNS)
    if image is None or len(names) < 2:
        return False
    if _column(names, LABEL_COLUMNS, without=image) is not None:
        return True
    cells = [cell.lower() for _, row in rows[1:-1] or rows[1:] for cell in row[:image] + row[image + 1 :]]
    return bool(cells) and set(cells) <= YES | NO


def _read_cells(path: str) -> list[tuple[int, list[str]]]:
    """Line number and cells of each row that is not blank."""
    try:
        return _cells(_decode(path), strict=True)
    except FileNotFoundError:
        raise DatasetError(f'{path}: no such label table; put it there or set labels', kind='missing label') from None
    except IsADirectoryError:
        raise DatasetError(
            f'{path}: a folder, but labels must be a file; name the table', kind='broken label'
        ) from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise DatasetError(f'{path}: broken table ({error}); save it as CSV in UTF-8', kind='broken label') from None


def _decode(path: str, size: int = -1) -> str:
    with open(path, 'rb') as file:
        data = file.read(size)
    if data[:2] in (b'\xff\xfe', b'\xfe\xff') and len(data) % 2 == 0 and b'\0' in data:
        return data.decode('utf-16')
    # a beginning may end within a letter, and a table in another encoding is one that is told of
    return data.decode('utf-8-sig', errors='strict' if size < 0 else 'replace')


def _cells(text: str, strict: bool = False) -> list[tuple[int, list[str]]]:
    """Rows by the delimiter that makes most of the first line."""
    first = next((line for line in text.splitlines() if line.strip()), '')

    def fit(delimiter: str) -> tuple[bool, int]:
        cells = next(csv.reader([first], delimiter=delimiter), [])
        is_header = _column([_fold(name) for name in cells], IMAGE_COLUMNS) is not None and len(cells) > 1
        is_row = len(cells) == 2 and strip_image_suffix(cells[0]) != cells[0]
        return is_header or is_row, len(cells)

    delimiter = max(DELIMITERS, key=fit)
    reader = csv.reader(
        io.StringIO(text, newline=''), delimiter=delimiter, skipinitialspace=delimiter != '\t', strict=strict
    )
    rows = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(map(str.strip, cells))]
    if rows and len(rows[0][1]) == 2 and strip_image_suffix(rows[0][1][0]) != rows[0][1][0]:
        rows.insert(0, (0, ['image', 'label']))  # a table without a header
    return rows


def _column(names: Sequence[str], wanted: Sequence[str], without: int | None = None) -> int | None:
    places = [names.index(name) for name in wanted if name in names]
    return next((place for place in places if place != without), None)


def _fold(name: str) -> str:
    return re.sub(r'[\s-]+', '_', name.strip().lower())


def _separator(cells: Sequence[str], classes: Sequence[str]) -> str:
    plain = [cell for cell in cells if cell not in classes and not cell.startswith(('[', '{'))]
    return next((one for one in SEPARATORS if any(one in cell for cell in plain)), SEPARATORS[0])


def _texts(value: object) -> Iterator[str]:
    """The labels in the JSON of a cell: a text, or the texts in lists and behind the keys of Label Studio."""
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key in LABEL_COLUMNS or key.endswith('labels'):
                yield from _texts(one)
