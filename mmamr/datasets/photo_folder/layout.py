"""Any folder of photos, laid out as VOC's, so that all data sets read it."""

import csv
import errno
import io
import json
import os
import os.path as osp
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from prettytable import PrettyTable

from mmamr.structures import ClassIndex
from mmamr.utils import DatasetError, InputError, atomic_write, share_work

from ..splits import composed, strip_image_suffix
from .division import declared_splits, divide
from .drawn import DrawnMasks, complete, open_masks, outlines_of_tags
from .folder import LAYOUT, PhotoFolder
from .masks import MaskPlan, masks_of, plan_masks
from .scan import Scan, scan
from .tags import Outlines, few

SPLITS = ('train', 'val', 'test')
LISTS = 'ImageSets/Segmentation'
MASKS, DRAWN = 'SegmentationClass', 'SegmentationClassDrawn'
"""Folders of the masks to measure against, and of those to learn from."""
VERSION = 1
MANY = 1000
"""More masks than these are drawn by several processes."""


@dataclass
class Layout:
    """A folder of photos in VOC's layout.

    Args:
        folder (str): The folder.
        classes (tuple[str, ...]): The classes.
        mask_values (tuple[int, ...], optional): Their values in masks; None where there are too many for masks.
        about (str): The format of the tags.
        counts (dict[str, dict[str, int]]): Photos of each split, in all (``''``) and of each class.
        notes (list[str]): What is to be told, one line each.
        learns (bool): Whether there are masks of photos to train with that models learn from. Defaults to False.
    """

    folder: str
    classes: tuple[str, ...]
    mask_values: tuple[int, ...] | None
    about: str
    counts: dict[str, dict[str, int]]
    notes: list[str] = field(default_factory=list)
    learns: bool = False

    @property
    def metainfo(self) -> dict[str, tuple]:
        """``classes`` and ``mask_values`` for a data set."""
        values = {} if self.mask_values is None else dict(mask_values=self.mask_values)
        return dict(classes=self.classes, **values)

    def text(self, limit: int = 30) -> str:
        """A table of the photos of each class, and the notes.

        Args:
            limit (int): Classes at most. Defaults to 30.
        """
        splits = [split for split in SPLITS if split in self.counts]
        table = PrettyTable(['class', *splits], align='r')
        table.align['class'] = 'l'
        for name in self.classes[:limit]:
            table.add_row([name, *(self.counts[split].get(name, 0) for split in splits)])
        if len(self.classes) > limit:
            table.add_row([f'… {len(self.classes) - limit} more', *('' for _ in splits)])
        table.add_row(['photos', *(self.counts[split][''] for split in splits)])
        return '\n'.join([f'tags: {self.about}', table.get_string(), *self.notes])


def lay_out(
    source: str,
    out_dir: str,
    labels: str | None = None,
    classes: Sequence[str] | None = None,
    val_ratio: float = 0.2,
    mask_values: Sequence[int] | None = None,
    exclude: Sequence[str] = (),
    masks: str | None = None,
) -> Layout:
    """Lay out a folder of photos as VOC's: links to the photos, lists, labels and, where there are any, masks.

    .. code-block:: none

        JPEGImages/<id>.jpg                         link to the photo; a copy where a disk knows no links
        ImageSets/Segmentation/train.txt, val.txt   the ids
        SegmentationClass/<id>.png                  if every photo that is validated on has a mask, or is outlined
        SegmentationClassDrawn/<id>.png             masks to learn from: with ``masks``, of photos to train with
        labels.csv                                  image,label;label
        photos.csv                                  id, path below ``source``, split
        classes.json                                classes, their values in masks, what was read

    An id is the path of its photo below the folder that all photos share, so that it is the stem where all lie in one
    folder. A photo keeps its id and split when others are added. A call that finds nothing new writes nothing, and
    ``classes.json`` is written last: one that was killed is made up for by the next. Several processes may call it.

    Args:
        source (str): The folder, or any above; see :func:`~mmamr.datasets.photo_folder.scan`.
        out_dir (str): The folder to write.
        labels (str, optional): Format or file of the tags. Defaults to None: whatever is there.
        classes (Sequence[str], optional): The classes. Defaults to None: all that the tags name.
        val_ratio (float): Part of the photos to validate on, where the user has neither lists nor folders for that.
            Defaults to 0.2.
        mask_values (Sequence[int], optional): The values of ``classes`` in masks. Defaults to None: those that the
            masks and the files beside them tell.
        exclude (Sequence[str]): Folders below ``source`` that are skipped, beside ``out_dir``. Defaults to none.
        masks (str, optional): Masks that a person drew or corrected, see
            :func:`~mmamr.datasets.photo_folder.drawn.open_masks`: of photos to train with they are learnt from, of
            those to validate on they are measured against. Defaults to None: what lies there is only measured against.

    Raises:
        InputError: If there are no photos or no tags, or ``out_dir`` has files of others.
    """
    if not 0 <= val_ratio < 1:
        raise InputError(f'--val-ratio {val_ratio}: it lies in [0, 1)')
    folder = PhotoFolder(source, [out_dir, *exclude])
    _check_out_dir(source, out_dir)
    if masks is not None:
        masks = osp.expanduser(masks)
        masks = osp.abspath(masks if osp.exists(masks) else osp.join(source, masks))
    digest = folder.digest(
        VERSION,
        osp.abspath(source),
        labels,
        _stamps(labels),
        list(classes or ()),
        val_ratio,
        list(mask_values or ()),
        masks,
        _stamps(masks),
    )
    known = read_layout(out_dir)
    if known is not None and known[1] == digest and _is_whole(out_dir):
        return known[0]
    found = scan(source, labels, classes, [out_dir, *exclude])
    drawn = open_masks(folder, masks) if masks is not None else None
    return _write(found, out_dir, val_ratio, digest, dict(zip(found.classes, mask_values or ())), drawn)


def _stamps(path: str | None) -> list:
    """What tells that a file outside of the photos, or one in a folder there, has changed."""
    if path is None or not osp.exists(path):
        return []
    inside = (osp.join(where, name) for where, _, names in os.walk(path) for name in names)
    files = [path] if osp.isfile(path) else sorted(inside)
    return [(name, stat.st_size, stat.st_mtime_ns) for name in files for stat in [os.stat(name)]]


def read_layout(folder: str) -> tuple[Layout, str] | None:
    """What :func:`lay_out` wrote last, and the hash of what it read; None if that is no such folder.

    Raises:
        DatasetError: If ``classes.json`` is broken.
    """
    path = osp.join(folder, LAYOUT)
    try:
        with open(path, encoding='utf-8', errors='surrogateescape') as file:
            content = json.load(file)
        values = content.get('mask_values')
        classes = tuple(content['classes'])
        layout = Layout(
            folder,
            tuple(str(name) for name in classes),
            None if values is None else tuple(int(value) for value in values),
            content.get('about', ''),
            content.get('counts', {}),
            list(content.get('notes', [])),
            bool(content.get('learns', False)),
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise DatasetError(f'{path}: broken ({error}); remove it and lay the photos out again') from None
    return layout, str(content.get('digest', ''))


def _check_out_dir(source: str, out_dir: str) -> None:
    """Refuse to write among what is not ours."""
    if osp.realpath(source) == osp.realpath(out_dir):
        raise InputError(f'{out_dir}: the folder of the photos itself; name another to write to')
    ours = {'JPEGImages', 'ImageSets', MASKS, DRAWN, 'labels.csv', 'photos.csv', LAYOUT}
    names = [name for name in (os.listdir(out_dir) if osp.isdir(out_dir) else ()) if not name.startswith('.')]
    if LAYOUT not in names and set(names) - ours:
        raise InputError(f'{out_dir}: it has other files, such as {sorted(set(names) - ours)[0]}; name a new folder')


def _is_whole(out_dir: str) -> bool:
    """Whether all that ``photos.csv`` names is there."""
    rows = _read_photos(out_dir)
    names = {osp.splitext(name)[0] for name in _names(osp.join(out_dir, 'JPEGImages'))}
    lists = [osp.join(out_dir, LISTS, f'{split}.txt') for split in {split for _, split in rows.values()}]
    return bool(rows) and {img_id for img_id, _ in rows.values()} <= names and all(map(osp.isfile, lists))


def _write(
    found: Scan, out_dir: str, val_ratio: float, digest: str, named_values: Mapping[str, int], drawn: DrawnMasks | None
) -> Layout:
    folder, notes = found.folder, list(found.notes)
    before = _read_photos(out_dir)
    photos = list(found.labels)
    old = _content(out_dir)
    known = {photo: split for photo, (_, split) in before.items()} if old.get('val_ratio') == val_ratio else {}
    files = masks_of(folder) if drawn is None else drawn.files
    declared = declared_splits(folder)
    outlines: Outlines = {}
    if drawn is not None:
        outlines, more = complete(drawn.outlines, found.labels)
        notes += [*drawn.notes, *more]
    elif not files:
        outlines, more = complete(outlines_of_tags(folder, found.reader, found.files), found.labels)
        if outlines and not declared and len(outlines) < 2 * val_ratio * len(photos):
            more = [f'{len(outlines)} of {len(photos)} photos are outlined, too few to validate on: they are not used']
            outlines = {}
        notes += more
    masked = {*files, *outlines} & set(photos)
    splits = divide(photos, declared, val_ratio, known, masked or None, drawn is not None)
    if len(splits) < len(photos):
        notes.append(f'{len(photos) - len(splits)} photos are in no list and left out')
    photos = [photo for photo in photos if photo in splits]
    gone = sorted(set(before) - set(photos))
    notes += few(gone, 'photos of before are no longer listed')
    ids = give_ids(photos, {photo: img_id for photo, (img_id, _) in before.items()})
    if outlines and len(found.classes) < ClassIndex.IGNORE:
        masks = MaskPlan(
            values={name: value for value, name in enumerate(found.classes, 1)},
            outlines={photo: outlines[photo] for photo in photos if photo in outlines},
        )
    else:
        by_masks = drawn is None and found.reader.kind == 'masks'
        own, names = (None, None) if drawn is None else (drawn.files, drawn.names)
        masks = plan_masks(folder, splits, found.classes, by_masks, named_values, own, names)
    notes += masks.notes
    measured = _measured(masks, splits)
    if masks.photos and not measured and drawn is None:
        notes.append(f'{len(masks.photos)} photos are outlined, but not all that are validated on: they are not used')
        masks = MaskPlan()
    learnt = [photo for photo in masks.photos if splits[photo] == 'train'] if drawn is not None else []
    if drawn is not None:
        notes.append(f'{len(learnt)} photos to train with have masks to learn from')
    odd = [name for name in found.classes if ';' in name]
    if odd:
        raise InputError(f'{folder.root}: the class {odd[0]!r} has a ";", which stands between labels; rename it')
    values: tuple[int, ...] | None = tuple(masks.values[name] for name in found.classes) if masks.photos else None
    if values is None and len(found.classes) < ClassIndex.IGNORE:
        values = tuple(range(1, len(found.classes) + 1))
    counts = _counts(found, splits)
    only_val = [name for name in found.classes if not counts.get('train', {}).get(name)]
    if only_val and 'train' in counts:
        notes.append(f'no photo to train with shows {", ".join(only_val[:10])}')

    _link_photos(folder, ids, osp.join(out_dir, 'JPEGImages'))
    anew = old.get('masks') != masks.digest()
    _write_masks(folder, ids, masks, masks.photos if measured else (), osp.join(out_dir, MASKS), anew)
    _write_masks(folder, ids, masks, learnt, osp.join(out_dir, DRAWN), anew)
    for name in set(_names(osp.join(out_dir, DRAWN))) - {f'{ids[photo]}.png' for photo in learnt}:
        os.unlink(osp.join(out_dir, DRAWN, name))  # nobody shall learn from what was taken back
    for split in SPLITS:
        listed = [ids[photo] for photo in photos if splits[photo] == split]
        if listed:
            _write_text(osp.join(out_dir, LISTS, f'{split}.txt'), ''.join(f'{img_id}\n' for img_id in listed))
    _write_csv(
        osp.join(out_dir, 'labels.csv'),
        [('image', 'label'), *((ids[photo], ';'.join(found.labels[photo])) for photo in photos)],
    )
    _write_csv(
        osp.join(out_dir, 'photos.csv'),
        [('id', 'photo', 'split'), *((ids[photo], photo, splits[photo]) for photo in photos)],
    )
    layout = Layout(out_dir, found.classes, values, found.about, counts, notes, bool(learnt))
    content = dict(
        classes=layout.classes,
        mask_values=layout.mask_values,
        source=osp.abspath(folder.root),
        labels=found.reader.kind,
        val_ratio=val_ratio,
        masks=masks.digest(),
        about=layout.about,
        counts=counts,
        notes=notes,
        learns=layout.learns,
        digest=digest,
    )
    _write_text(osp.join(out_dir, LAYOUT), json.dumps(content, indent=1, ensure_ascii=False) + '\n')
    return layout


def _measured(masks: MaskPlan, splits: Mapping[str, str]) -> bool:
    """Whether every photo to validate on, or of all if there is none, has a mask."""
    needed = [photo for photo, split in splits.items() if split == 'val'] or list(splits)
    return bool(masks.photos) and set(needed) <= set(masks.photos)


def _counts(found: Scan, splits: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Photos of each split, in all and of each class."""
    counts: dict[str, dict[str, int]] = {}
    for photo, split in splits.items():
        count = counts.setdefault(split, {'': 0})
        for name in ('', *found.labels[photo]):
            count[name] = count.get(name, 0) + 1
    return counts


def give_ids(photos: Sequence[str], before: Mapping[str, str]) -> dict[str, str]:
    """An id for each photo: its path below the folder that all share, without suffix, ``_`` between folders.

    Args:
        photos (Sequence[str]): Relative paths, sorted.
        before (Mapping[str, str]): Ids that photos have already.
    """
    shared = osp.commonpath([osp.dirname(path) for path in photos]) if photos else ''
    ids = {photo: before[photo] for photo in photos if photo in before}
    taken = {img_id.casefold() for img_id in before.values()}
    for photo in photos:
        if photo in ids:
            continue
        stem, suffix = osp.splitext(osp.relpath(photo, shared) if shared else photo)
        plain = _plain_id(stem)
        choices = (
            plain,
            f'{plain}-{suffix[1:].lower()}',
            f'{plain}-{sha256(photo.encode(errors="replace")).hexdigest()[:12]}',
        )
        ids[photo] = next(img_id for img_id in choices if img_id.casefold() not in taken)
        taken.add(ids[photo].casefold())
    return ids


def _plain_id(stem: str) -> str:
    """A path as an id that lists, tables and disks keep as it is."""
    name = composed(stem.encode(errors='replace').decode()).replace('\\', '/').replace('/', '_')
    name = re.sub(r'[\x00-\x1f\x7f]', '_', re.sub(r'\s+', ' ', name)).strip(' .') or '_'
    name = re.sub(r'^([A-Za-z]):', r'\1_', name)  # a drive, to Windows
    while strip_image_suffix(name) != name:
        name = '-'.join(osp.splitext(name)).replace('-.', '-')
    if len(name.encode()) > 150:
        name = f'{name.encode()[:130].decode(errors="ignore")}-{sha256(stem.encode(errors="replace")).hexdigest()[:12]}'
    return name


def _link_photos(folder: PhotoFolder, ids: Mapping[str, str], out_dir: str) -> None:
    os.makedirs(out_dir, exist_ok=True)
    there = set(_names(out_dir))
    for photo, img_id in ids.items():
        name = img_id + osp.splitext(photo)[1].lower()
        _link(osp.abspath(folder.path(photo)), osp.join(out_dir, name), name in there)


def _write_masks(
    folder: PhotoFolder, ids: Mapping[str, str], plan: MaskPlan, photos: Sequence[str], out_dir: str, anew: bool
) -> None:
    """Draw masks, link to them, or write them with other values: those that are not there, or all ``anew``."""
    if not photos:
        return
    os.makedirs(out_dir, exist_ok=True)
    there = set(_names(out_dir))
    recode = plan.table is not None or bool(plan.names.colours)

    def draw(part: Sequence[str], advance: Callable[[], None]) -> None:
        for photo in part:
            plan.draw(photo, folder.path(photo), osp.join(out_dir, f'{ids[photo]}.png'))
            advance()

    drawn = [photo for photo in photos if photo in plan.outlines]
    if len(drawn) > MANY:
        share_work(draw, drawn, min(8, os.cpu_count() or 1), 'masks')
    else:
        draw(drawn, lambda: None)
    for photo in photos:
        path = osp.join(out_dir, f'{ids[photo]}.png')
        if photo in plan.outlines:
            continue
        source = osp.abspath(folder.path(plan.masks[photo]))
        if not recode:
            _link(source, path, f'{ids[photo]}.png' in there)
        elif (
            anew or osp.islink(path) or not osp.exists(path) or os.stat(path).st_mtime_ns <= os.stat(source).st_mtime_ns
        ):
            plan.write(source, path)


def _link(source: str, path: str, there: bool) -> None:
    """Link to a file, or copy it where links are not possible; one that is there and right stays."""
    if there:
        if osp.islink(path):
            if os.readlink(path) == source:
                return
        elif os.stat(path).st_size == os.stat(source).st_size:
            return
    elif _placed(lambda: os.symlink(source, path)):
        return
    temporary = tempfile.mktemp(prefix='.tmp-', dir=osp.dirname(path))
    try:
        if not _placed(lambda: os.symlink(source, temporary)) and not _placed(lambda: os.link(source, temporary)):
            shutil.copyfile(source, temporary)
        os.replace(temporary, path)
    finally:
        if osp.lexists(temporary):
            os.unlink(temporary)


def _placed(make: Callable[[], Any]) -> bool:
    """Whether a link was made; False where the disk or the system makes none, or another process was faster."""
    try:
        make()
    except NotImplementedError:
        return False
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOENT):
            raise
        return False
    return True


def _read_photos(out_dir: str) -> dict[str, tuple[str, str]]:
    """Id and split of each photo that was laid out before."""
    path = osp.join(out_dir, 'photos.csv')
    if not osp.isfile(path):
        return {}
    with open(path, newline='', encoding='utf-8', errors='surrogateescape') as file:
        try:
            return {row[1]: (row[0], row[2]) for row in list(csv.reader(file))[1:] if len(row) == 3}
        except csv.Error as error:
            raise DatasetError(f'{path}: broken ({error}); remove it, which gives all photos new ids') from None


def _content(out_dir: str) -> dict[str, Any]:
    """What ``classes.json`` says; nothing where it is not there."""
    try:
        with open(osp.join(out_dir, LAYOUT), encoding='utf-8', errors='surrogateescape') as file:
            return dict(json.load(file))
    except (OSError, ValueError, TypeError):
        return {}


def _names(folder: str) -> list[str]:
    return os.listdir(folder) if osp.isdir(folder) else []


def _write_csv(path: str, rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO(newline='')
    csv.writer(text, lineterminator='\n').writerows(rows)
    _write_text(path, text.getvalue())


def _write_text(path: str, text: str) -> None:
    """Write a file whole, unless it has this text already."""
    data = text.encode('utf-8', errors='surrogateescape')
    if osp.isfile(path):
        with open(path, 'rb') as file:
            if file.read() == data:
                return
    with atomic_write(path) as file:
        file.write(data)
