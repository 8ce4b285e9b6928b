"""The archive that the evaluation server of PASCAL VOC takes."""

import gzip
import os.path as osp
import struct
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from io import BytesIO

import numpy as np
from PIL import Image

from mmamr.fileio import read_size, read_stored_mask
from mmamr.fileio.images import FORMATS, MAX_PIXELS_VARIABLE, max_pixels
from mmamr.structures import VOC_CLASSES, ClassIndex
from mmamr.utils import InputError, atomic_write

COMPETITIONS = ('comp5', 'comp6')
"""Segmentation competitions of VOC: trained on its own data only (5), or on any, such as ImageNet or SBD, too (6)."""

LARGEST_MEMBER = 1 << 26
"""Bytes of a mask in an archive, at most."""
# What gzip, tarfile and PIL raise on what is cut short, altered, or something else altogether.
BROKEN = (
    OSError,
    EOFError,
    ValueError,
    SyntaxError,
    IndexError,
    KeyError,
    OverflowError,
    struct.error,
    zlib.error,
    tarfile.TarError,
    Image.DecompressionBombError,
)

_INDEX = ClassIndex(VOC_CLASSES)


def member_name(img_id: str, competition: str = 'comp6') -> str:
    """Where the server looks for the mask of an image."""
    return f'results/VOC2012/Segmentation/{competition}_test_cls/{img_id}.png'


def write_submission(
    path: str, prediction_dir: str, ids: Sequence[str], image_dir: str, competition: str = 'comp6'
) -> None:
    """Pack a folder of predictions. The same predictions give the same bytes, whenever and whoever packs them.

    Args:
        path (str): The ``.tgz`` to write, whole or not at all.
        prediction_dir (str): Folder of ``<id>.png``, grey or indexed, values 0 to 20. Other files in it are left out.
        ids (Sequence[str]): The images of the test list.
        image_dir (str): Folder of ``<id>.jpg``, to compare sizes.
        competition (str): One of :data:`COMPETITIONS`. Defaults to 'comp6'.

    Raises:
        InputError: If a prediction is missing, is no mask of VOC classes or has another size than its photo; one line.
    """
    # gzip would note the time and the name of the file, tarfile the owner of each member.
    with (
        atomic_write(path) as file,
        gzip.GzipFile('', 'wb', fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode='w', format=tarfile.USTAR_FORMAT) as archive,
    ):
        for img_id in sorted(ids):
            source = osp.join(prediction_dir, f'{img_id}.png')
            mask = read_stored_mask(source)
            for fault in _faults_of_mask(mask, osp.join(image_dir, f'{img_id}.jpg')):
                raise InputError(f'{source}: {fault}')
            _add(archive, member_name(img_id, competition), _indexed_png(mask))


def check_submission(path: str, ids: Sequence[str], image_dir: str, competition: str = 'comp6') -> list[str]:
    """Everything about an archive that the server would refuse or count wrongly.

    Args:
        path (str): The archive.
        ids (Sequence[str]): The images of the test list.
        image_dir (str): Folder of ``<id>.jpg``, to compare sizes.
        competition (str): One of :data:`COMPETITIONS`. Defaults to 'comp6'.

    Returns:
        list[str]: One line a fault; none if the archive is fit to be sent.
    """
    wanted = {member_name(img_id, competition): img_id for img_id in ids}
    seen = set()
    faults: list[str] = []
    try:
        with tarfile.open(path, 'r:gz') as archive:
            for member in archive:
                if member.isdir() and any(name.startswith(f'{member.name}/') for name in wanted):
                    continue
                if member.name not in wanted or not member.isfile():
                    faults.append(f'{member.name}: the test list asks for no such file')
                elif member.name in seen:
                    faults.append(f'{member.name}: twice in the archive')
                elif member.size > LARGEST_MEMBER:
                    faults.append(f'{member.name}: {member.size} bytes, more than a mask can have')
                else:
                    file = archive.extractfile(member)
                    assert file is not None  # as it is a file
                    faults += _faults_of_member(
                        file.read(),
                        member.name,
                        osp.join(image_dir, f'{wanted[member.name]}.jpg'),
                    )
                seen.add(member.name)
        # tarfile stops where the list of files ends; the checksum stands at the very end
        with gzip.open(path) as packed:
            while packed.read(1 << 20):
                pass
    except BROKEN as error:
        return [f'{path}: no whole archive ({str(error) or type(error).__name__})']
    return faults + [f'{name}: missing' for name in wanted if name not in seen]


def _faults_of_member(data: bytes, name: str, image_path: str) -> Iterator[str]:
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            if (image.format, image.mode) != ('PNG', 'P'):
                yield f'{name}: {image.format} of mode {image.mode} instead of an indexed PNG'
                return
            if image.width * image.height > max_pixels():
                yield f'{name}: {image.width}x{image.height} pixels, more than {MAX_PIXELS_VARIABLE} allows'
                return
        _check_png(data)
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            mask = np.asarray(image)
    except BROKEN as error:
        yield f'{name}: broken image ({str(error) or type(error).__name__})'
        return
    try:
        found = list(_faults_of_mask(mask, image_path))
    except InputError as error:
        found = [f'its photo is no good: {error}']
    for fault in found:
        yield f'{name}: {fault}'


def _check_png(data: bytes) -> None:
    """Check the checksums of all parts of a PNG, some of which PIL does not look at.

    Raises:
        ValueError: If one is wrong, or the last part is missing or cut.
    """
    place, kind = len(b'\x89PNG\r\n\x1a\n'), b''
    while kind != b'IEND':
        length, kind = struct.unpack_from('>I4s', data, place)
        end = place + 8 + length
        (checksum,) = struct.unpack_from('>I', data, end)
        if zlib.crc32(data[place + 4 : end]) != checksum:
            raise ValueError(f'the checksum of its part {kind.decode("latin1")} is wrong')
        place = end + 4


def _faults_of_mask(mask: np.ndarray, image_path: str) -> Iterator[str]:
    size = read_size(image_path)
    if mask.shape != size:
        yield f'{mask.shape[1]}x{mask.shape[0]} pixels, but its photo has {size[1]}x{size[0]}'
    values = np.unique(mask)
    if values.max() > _INDEX.num_classes:
        yield (
            f'values {values[values > _INDEX.num_classes].tolist()}, but the server knows 0 to '
            f'{_INDEX.num_classes}; a prediction leaves no pixel out'
        )


def _indexed_png(mask: np.ndarray) -> bytes:
    image = Image.fromarray(mask)
    image.putpalette(_INDEX.png_palette.reshape(-1).tolist())
    buffer = BytesIO()
    image.save(buffer, format='PNG')
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    """Add a file that belongs to nobody and was made at no time."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mode = 0o644
    archive.addfile(info, BytesIO(data))
