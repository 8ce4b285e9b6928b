import gzip
import io
import tarfile
import time

import numpy as np
import pytest
from PIL import Image

from mmamr.evaluation.voc_submission import check_submission, member_name, write_submission
from mmamr.structures import voc_palette

IDS = ['2008_000006', '2008_000001']
SIZES = {'2008_000001': (20, 30), '2008_000006': (24, 16)}


@pytest.fixture
def voc(tmp_path):
    """Photos of two sizes and a prediction of each: one grey, one with a palette of its own."""
    for folder in ('JPEGImages', 'predictions'):
        (tmp_path / folder).mkdir()
    for i, (img_id, size) in enumerate(SIZES.items()):
        Image.new('RGB', size[::-1], (90, 120, 150)).save(tmp_path / 'JPEGImages' / f'{img_id}.jpg')
        save_mask(tmp_path / 'predictions' / f'{img_id}.png', prediction(img_id), palette=i == 1)
    return tmp_path


def prediction(img_id):
    mask = np.zeros(SIZES[img_id], np.uint8)
    mask[5:] = 20 if img_id == IDS[0] else 3
    return mask


def save_mask(path, mask, palette=False):
    image = Image.fromarray(mask)
    if palette:
        image.putpalette(list(range(256)) * 3)
    image.save(path)


def write(voc, name='out.tgz', **kwargs):
    write_submission(str(voc / name), str(voc / 'predictions'), IDS, str(voc / 'JPEGImages'), **kwargs)
    return str(voc / name)


def check(voc, path, **kwargs):
    return check_submission(path, IDS, str(voc / 'JPEGImages'), **kwargs)


def png(mask=None, mode='P', format='PNG', img_id=IDS[1]):
    image = Image.fromarray(prediction(img_id) if mask is None else mask)
    if mode == 'P':
        image.putpalette(voc_palette().reshape(-1).tolist())
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, format=format)
    return buffer.getvalue()


def pack(path, members):
    with tarfile.open(path, 'w:gz') as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return str(path)


def good_members():
    return [(member_name(img_id), png(img_id=img_id)) for img_id in IDS]


@pytest.mark.parametrize('competition', ['comp5', 'comp6'])
def test_what_is_in_it(voc, competition):
    path = write(voc, competition=competition)
    with tarfile.open(path, 'r:gz') as archive:
        assert archive.getnames() == [
            f'results/VOC2012/Segmentation/{competition}_test_cls/{img_id}.png' for img_id in sorted(IDS)
        ]
        for img_id in IDS:
            image = Image.open(archive.extractfile(member_name(img_id, competition)))
            assert image.mode == 'P'
            assert (np.asarray(image) == prediction(img_id)).all()
            assert image.getpalette()[:63] == voc_palette(21).reshape(-1).tolist()
    assert check(voc, path, competition=competition) == []


def test_same_bytes_at_any_time(voc, monkeypatch):
    first = write(voc, 'first.tgz')
    later = time.time() + 1e6
    monkeypatch.setattr(time, 'time', lambda: later)
    (voc / 'predictions' / 'notes.txt').write_text('not asked for')
    second = write(voc, 'second.tgz')
    assert open(first, 'rb').read() == open(second, 'rb').read()
    with tarfile.open(first) as archive:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in archive} == {(0, 0, 0, '', '')}


@pytest.mark.parametrize(
    'spoil, message',
    [
        (lambda path: path.unlink(), r'2008_000006\.png: no such mask'),
        (lambda path: save_mask(path, np.zeros((16, 24), np.uint8)), r'_000006\.png: 24x16 pixels, but its photo has'),
        (lambda path: save_mask(path, np.full(SIZES[IDS[0]], 255, np.uint8)), r'2008_000006\.png: values \[255\]'),
        (lambda path: save_mask(path, np.zeros((24, 16, 3), np.uint8)), r'2008_000006\.png: the mask has colours'),
    ],
)
def test_writes_nothing_from_bad_predictions(voc, spoil, message):
    spoil(voc / 'predictions' / '2008_000006.png')
    with pytest.raises(ValueError, match=message) as error:
        write(voc)
    assert '\n' not in str(error.value)
    assert sorted(path.name for path in voc.iterdir()) == ['JPEGImages', 'predictions']


def test_check_accepts_folders_as_members(voc):
    with tarfile.open(voc / 'a.tgz', 'w:gz') as archive:
        for name in ('results', 'results/VOC2012', 'results/VOC2012/Segmentation/comp6_test_cls'):
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE
            archive.addfile(info)
        for name, data in good_members():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert check(voc, str(voc / 'a.tgz')) == []


BIG = np.full(SIZES[IDS[1]], 21, np.uint8)


@pytest.mark.parametrize(
    'change, faults',
    [
        (lambda m: m[:1], ['2008_000001.png: missing']),
        (
            lambda m: [(name.replace('comp6', 'comp5'), data) for name, data in m],
            [
                'comp5_test_cls/2008_000006.png: the test list asks for no such file',
                'comp5_test_cls/2008_000001.png: the test list asks for no such file',
                'comp6_test_cls/2008_000006.png: missing',
                'comp6_test_cls/2008_000001.png: missing',
            ],
        ),
        (lambda m: [*m, ('../evil.png', png())], ['../evil.png: the test list asks for no such file']),
        (lambda m: [*m, m[0]], ['2008_000006.png: twice in the archive']),
        (lambda m: [m[0], (m[1][0], png(mode='L'))], ['2008_000001.png: PNG of mode L instead of an indexed PNG']),
        (lambda m: [m[0], (m[1][0], png(mode='RGB', format='JPEG'))], ['JPEG of mode RGB instead of an indexed PNG']),
        (lambda m: [m[0], (m[1][0], png()[:60])], ['2008_000001.png: broken image']),
        (lambda m: [m[0], (m[1][0], b'')], ['2008_000001.png: broken image']),
        (lambda m: [m[0], (m[1][0], png(BIG))], ['2008_000001.png: values [21], but the server knows 0 to 20']),
        (lambda m: [m[0], (m[1][0], png(img_id=IDS[0]))], ['2008_000001.png: 16x24 pixels, but its photo has 30x20']),
    ],
)
def test_check_finds(voc, change, faults):
    found = check(voc, pack(voc / 'bad.tgz', change(good_members())))
    assert len(found) == len(faults)
    assert all(fault in line for fault, line in zip(faults, found))


def test_check_of_what_is_no_archive(voc):
    path = write(voc)
    data = open(path, 'rb').read()
    (voc / 'cut.tgz').write_bytes(data[: len(data) // 2])
    (voc / 'plain.tgz').write_bytes(gzip.compress(b'not a tar file'))
    middle = len(data) // 2
    flipped = bytes(byte ^ 255 for byte in data[middle : middle + 9])
    (voc / 'flipped.tgz').write_bytes(data[:middle] + flipped + data[middle + 9 :])
    for name in ('cut.tgz', 'plain.tgz', 'none.tgz', 'flipped.tgz'):
        faults = check(voc, str(voc / name))
        assert len(faults) >= 1
        assert name in faults[0]


def test_an_archive_that_is_damaged_at_any_byte_is_not_ready(voc):
    """Either it is told as a fault, or what is in it is what was packed; never a traceback."""
    path = write(voc)
    content = bytearray(open(path, 'rb').read())
    told = 0
    for place in range(0, len(content), 13):
        content[place] ^= 0x41
        (voc / 'altered.tgz').write_bytes(content)
        content[place] ^= 0x41
        told += bool(check(voc, str(voc / 'altered.tgz')))
    for length in range(0, len(content), 37):
        (voc / 'cut.tgz').write_bytes(content[:length])
        assert check(voc, str(voc / 'cut.tgz'))
    # of the header, only the time and the system are not checked by anything
    assert told >= len(range(0, len(content), 13)) - 3


def test_an_image_that_is_damaged_at_any_byte_is_a_fault(voc):
    data = bytearray(png(img_id=IDS[0]))
    other = (member_name(IDS[1]), png(img_id=IDS[1]))
    for place in range(0, len(data), 11):
        data[place] ^= 0x41
        pack(voc / 'altered.tgz', [other, (member_name(IDS[0]), bytes(data))])
        data[place] ^= 0x41
        faults = check(voc, str(voc / 'altered.tgz'))
        assert len(faults) == 1 and faults[0].startswith(member_name(IDS[0])), (place, faults)


def test_a_bomb_in_an_archive(voc, monkeypatch):
    bomb = png(np.zeros((3000, 3000), np.uint8))
    pack(voc / 'bomb.tgz', [(member_name(IDS[0]), bomb), (member_name(IDS[1]), png(img_id=IDS[1]))])
    monkeypatch.setenv('MMAMR_MAX_PIXELS', '1000000')
    assert check(voc, str(voc / 'bomb.tgz')) == [
        f'{member_name(IDS[0])}: 3000x3000 pixels, more than MMAMR_MAX_PIXELS allows'
    ]


def test_a_photo_that_is_no_photo_is_a_fault(voc):
    path = write(voc)
    (voc / 'JPEGImages' / f'{IDS[0]}.jpg').write_text('<html>404</html>')
    (fault,) = check(voc, path)
    assert 'its photo is no good' in fault
