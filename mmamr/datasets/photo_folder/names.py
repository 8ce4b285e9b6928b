"""Which photo the name in a file of tags means."""

import os.path as osp
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs, unquote, urlsplit

from ..splits import IMAGE_SUFFIXES, composed

UPLOAD = re.compile(r'^[0-9a-f]{8}-(?=.)', re.IGNORECASE)
"""What Label Studio puts before the name of an uploaded file."""


class PhotoNames:
    """Finds a photo by its path, its name or its stem.

    Names fit in any case, in composed letters or not, with folders of another machine before them, encoded as in a URL,
    and as Label Studio changes them: ``/data/upload/1/4f3a2b1c-my_photo.jpg``.

    Args:
        photos (Sequence[str]): Relative paths of all photos.
    """

    def __init__(self, photos: Sequence[str]) -> None:
        self._paths: dict[str, list[str]] = defaultdict(list)
        self._names: dict[str, list[str]] = defaultdict(list)
        self._plain: dict[str, list[str]] | None = None
        for path in photos:
            folded = _fold(path)
            name = folded.rpartition('/')[2]
            for table, key in ((self._paths, folded), (self._names, name)):
                table[key].append(path)
                table[_stem(key)].append(path)

    def find(self, name: str, base: str = '') -> list[str]:
        """The photos that a name may mean; none, or several where only folders tell them apart.

        Args:
            name (str): As a file of tags has it.
            base (str): Folder of that file. Defaults to ''.
        """
        for spelling in _spellings(name):
            found = self._find(_fold(spelling), _fold(base))
            if found:
                exact = [path for path in found if composed(path).endswith(composed(spelling))]
                return exact or found
        return []

    def _find(self, name: str, base: str) -> list[str]:
        for stem in (name, *([_stem(name)] if _stem(name) != name else [])):
            folder = base
            while True:
                path = osp.normpath(f'{folder}/{stem}' if folder else stem).replace('\\', '/')
                if path in self._paths:
                    return self._paths[path]
                if not folder:
                    break
                folder = folder.rpartition('/')[0]
            rest = stem
            while '/' in rest:
                rest = rest.partition('/')[2]
                if rest in self._paths:
                    return self._paths[rest]
        last = name.rpartition('/')[2]
        for key in (last, _stem(last)):
            found = self._names.get(key, [])
            if found:
                near = [path for path in found if base and _fold(path).startswith(f'{base}/')]
                return near or found
        return self._find_plain(last)

    def _find_plain(self, name: str) -> list[str]:
        """By the letters and digits of the name alone, as some servers store it."""
        if self._plain is None:
            self._plain = defaultdict(list)
            for key, paths in self._names.items():
                if key.endswith(IMAGE_SUFFIXES):
                    self._plain[_plain(key)] += paths
        return self._plain.get(_plain(name), [])


def _spellings(name: str) -> Iterator[str]:
    """A name, and what it may be where it was changed on its way."""
    name = name.strip().replace('\\', '/')
    yield name
    query = urlsplit(name) if '?' in name or '://' in name else None
    if query is not None:
        local = parse_qs(query.query).get('d', [])
        name = local[0] if local else query.path
        yield name
    decoded = unquote(name)
    if decoded != name:
        yield decoded
    last = decoded.rpartition('/')[2]
    if UPLOAD.match(last):
        yield UPLOAD.sub('', last)


def _fold(name: str) -> str:
    return composed(name.replace('\\', '/')).casefold().removeprefix('./')


def _stem(name: str) -> str:
    stem, suffix = osp.splitext(name)
    return stem if suffix in IMAGE_SUFFIXES else name


def _plain(name: str) -> str:
    return re.sub(r'[^\w.-]', '', name.replace(' ', '_'))
