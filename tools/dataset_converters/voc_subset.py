"""Lay out the small photograph data sets of the result tables from VOC 2012.

    python tools/dataset_converters/voc_subset.py voc-animals --voc data/VOCdevkit --out data/voc-animals

The data sets are lists of image ids, which are kept beside this file in ``voc_subsets/<name>/``; the files come from
``VOC2012`` in the folder ``--voc``. VOC 2007 is not needed: VOC 2012 has the images of all its years.

- ``voc07-mini``: the 422 images of 2007 in VOC's own train and val lists (205 and 217), with all 20 classes. Files are
  copied as they are.
- ``voc-animals``: 800 and 200 images of cat, cow, dog, horse and sheep. The long side is 320.
- ``voc-mixed``: 895 and 280 images of twelve classes, most with several in one image. The long side is 320 at most.

Photos become smaller by Lanczos resampling and are stored as JPEG of quality 88, masks by the nearest neighbour; other
classes in a mask become 255. A mask is that of VOC (``SegmentationClass``) where VOC has one, else that of SBD
(``SegmentationClassAug``, which ``sbd.py`` makes). An annotation names the classes that are in the mask.

What may differ from the files that the tables were measured on: where a full-size and a small file were both at hand
(86 images of 2007), small photos came out equal to the byte and masks equal in each pixel, with Pillow 13; another
version of its JPEG library may round differently. This could not be checked for images of 2008 to 2011 or for masks of
SBD.
Photos of ``voc07-mini`` have one JPEG quality (95) throughout and may have been stored anew after VOC published them.
"""

import argparse
import io
import os
import os.path as osp
import sys
from functools import partial
from typing import NamedTuple
from xml.sax.saxutils import escape

import numpy as np
from mmengine.utils import track_parallel_progress
from PIL import Image

from mmamr.datasets.splits import read_ids
from mmamr.fileio import read_rgb, read_size, read_stored_mask
from mmamr.structures import VOC_CLASSES, voc_palette
from mmamr.utils import DatasetError, atomic_write, one_line_errors, write_png

LISTS = osp.join(osp.dirname(osp.abspath(__file__)), 'voc_subsets')
IGNORE = 255
JPEG_QUALITY = 88


class Subset(NamedTuple):
    """How the files of a data set differ from VOC's."""

    classes: tuple[str, ...] = VOC_CLASSES
    """Classes in masks and annotations."""
    long_side: int | None = None
    """Long side of photos and masks in pixels; None is that of VOC's files, which are then copied."""
    enlarge: bool = False
    """Whether smaller photos are brought to this size, too."""


SUBSETS = {
    'voc07-mini': Subset(),
    'voc-animals': Subset(('cat', 'cow', 'dog', 'horse', 'sheep'), 320, enlarge=True),
    'voc-mixed': Subset(
        (
            'bottle',
            'car',
            'cat',
            'chair',
            'cow',
            'dog',
            'horse',
            'person',
            'pottedplant',
            'sheep',
            'sofa',
            'tvmonitor',
        ),
        320,
    ),
}


def convert(img_id: str, subset: Subset, voc_root: str, out_dir: str) -> str:
    """Make photo, mask and annotation of one image, unless they are there.

    Args:
        img_id (str): The image.
        subset (Subset): How its files differ from VOC's.
        voc_root (str): Folder of VOC 2012.
        out_dir (str): Folder of the data set.

    Returns:
        str: What is wrong, in one line, or '' if nothing is.
    """
    photo, mask, annotation = (
        osp.join(out_dir, folder, img_id + suffix)
        for folder, suffix in (('JPEGImages', '.jpg'), ('SegmentationClass', '.png'), ('Annotations', '.xml'))
    )
    try:
        if osp.exists(annotation) and read_stored_mask(mask).shape == read_size(photo):
            return ''
    except DatasetError:
        pass  # missing or broken: made below
    source = osp.join(voc_root, 'JPEGImages', f'{img_id}.jpg')
    try:
        image, labels = read_rgb(source), read_stored_mask(mask_path(img_id, voc_root))
    except DatasetError as error:
        return str(error)
    if labels.shape != image.shape[:2]:
        return f'{source}: the photo has another size than its mask; copy both from VOC again'
    if subset.long_side is None:
        with open(source, 'rb') as file:
            data = file.read()
    else:
        size = scaled_size(image.shape[1], image.shape[0], subset)
        data = jpeg(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))
        labels = np.asarray(Image.fromarray(labels).resize(size, Image.Resampling.NEAREST))
    values = [VOC_CLASSES.index(name) + 1 for name in subset.classes]
    labels = np.where(np.isin(labels, [0, *values]), labels, IGNORE).astype(np.uint8)
    with atomic_write(photo) as file:
        file.write(data)
    write_png(mask, labels, voc_palette())
    with atomic_write(annotation, 'w', encoding='utf-8') as file:
        file.write(annotate(img_id, labels))
    return ''


def mask_path(img_id: str, voc_root: str) -> str:
    """VOC's own mask where there is one, else where SBD's stands."""
    own = osp.join(voc_root, 'SegmentationClass', f'{img_id}.png')
    return own if osp.exists(own) else osp.join(voc_root, 'SegmentationClassAug', f'{img_id}.png')


def scaled_size(width: int, height: int, subset: Subset) -> tuple[int, int]:
    """Width and height in the data set of an image that has these in VOC."""
    scale = subset.long_side / max(width, height)
    if scale > 1 and not subset.enlarge:
        return width, height
    return max(round(width * scale), 1), max(round(height * scale), 1)


def jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format='JPEG', quality=JPEG_QUALITY)
    return buffer.getvalue()


def annotate(img_id: str, labels: np.ndarray) -> str:
    """An annotation with the names of the classes in a mask, and no boxes."""
    height, width = labels.shape
    names = [VOC_CLASSES[value - 1] for value in np.unique(labels) if 0 < value <= len(VOC_CLASSES)]
    objects = ''.join(f'  <object><name>{name}</name><difficult>0</difficult></object>\n' for name in names)
    return (
        f'<annotation>\n  <filename>{escape(img_id)}.jpg</filename>\n'
        f'  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>\n{objects}</annotation>\n'
    )


def find_sources(ids: list[str], voc_root: str) -> None:
    """Check that the files of VOC and, where they are needed, the masks of SBD are there.

    Raises:
        DatasetError: One line that says what to do.
    """
    for folder in ('JPEGImages', 'SegmentationClass'):
        if not osp.isdir(osp.join(voc_root, folder)):
            raise DatasetError(
                f'{osp.join(voc_root, folder)}: no such folder; unpack VOCtrainval_11-May-2012.tar of VOC 2012, and '
                'name its VOCdevkit as --voc'
            )
    photos = [img_id for img_id in ids if not osp.exists(osp.join(voc_root, 'JPEGImages', f'{img_id}.jpg'))]
    if photos:
        raise DatasetError(
            f'{osp.join(voc_root, "JPEGImages")}: {len(photos)} of {len(ids)} photos are missing, the first is '
            f'{photos[0]}.jpg; unpack VOCtrainval_11-May-2012.tar again'
        )
    masks = [img_id for img_id in ids if not osp.exists(mask_path(img_id, voc_root))]
    if masks:
        raise DatasetError(
            f'{osp.join(voc_root, "SegmentationClassAug")}: {len(masks)} of {len(ids)} masks are missing, the first is '
            f'{masks[0]}.png; make those of SBD with tools/dataset_converters/sbd.py'
        )


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Lay out a photograph data set of the tables from VOC 2012')
    parser.add_argument('name', choices=sorted(SUBSETS), help='the data set')
    parser.add_argument('--voc', default='data/VOCdevkit', help='folder that holds VOC2012 (%(default)s)')
    parser.add_argument('--out', help='folder of the data set (data/<name>)')
    parser.add_argument('--nproc', type=int, default=min(8, os.cpu_count() or 1), help='processes (%(default)s)')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    out_dir = args.out or osp.join('data', args.name)
    voc_root = osp.join(args.voc, 'VOC2012')
    try:
        lists = {split: list(read_ids(osp.join(LISTS, args.name, f'{split}.txt'))) for split in ('train', 'val')}
        ids = sorted({img_id for split in lists.values() for img_id in split})
        find_sources(ids, voc_root)
    except DatasetError as error:
        print(error)
        return 1
    task = partial(convert, subset=SUBSETS[args.name], voc_root=voc_root, out_dir=out_dir)
    answers = track_parallel_progress(task, ids, args.nproc, chunksize=8, file=sys.stderr)
    errors = [answer for answer in answers if answer]
    if errors:
        print('\n'.join(errors))
        print(f'{len(errors)} of {len(ids)} images could not be made, and the lists were not written')
        return 1
    for split, members in lists.items():
        with atomic_write(osp.join(out_dir, 'ImageSets', 'Segmentation', f'{split}.txt'), 'w') as file:
            file.writelines(f'{img_id}\n' for img_id in members)
    print(f'{args.name} in {out_dir}: ' + ', '.join(f'{len(members)} {split}' for split, members in lists.items()))
    return 0


if __name__ == '__main__':
    with one_line_errors(program=True):
        sys.exit(main())
