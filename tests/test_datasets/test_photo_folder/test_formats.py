"""Every format of tags, as its tool writes it."""

import json

import numpy as np
import pytest
from PIL import Image

from mmamr.datasets.photo_folder import KINDS, PhotoFolder, scan
from mmamr.utils import DatasetError, InputError

TAGS = {'IMG 1': ['cat'], 'b': ['dog', 'traffic light'], 'sub/Käse, "c"': ['cat', 'dog'], 'sub/d': []}
"""Four photos with odd names, one in a folder of its own, one with none of the classes."""
NAMES = sorted({name for names in TAGS.values() for name in names})


def draw(path, seed=0, size=(12, 16)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)


def draw_mask(path, values, size=(12, 16), colours=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = np.zeros(size, np.uint8)
    for row, value in enumerate(values):
        mask[row] = value
    if colours is not None:
        Image.fromarray(np.asarray(colours, np.uint8)[mask]).save(path)
        return
    image = Image.fromarray(mask)
    image.putpalette(list(range(255, -1, -1)) * 3)
    image.save(path)


@pytest.fixture
def photos(tmp_path):
    for seed, name in enumerate(TAGS):
        draw(tmp_path / 'photos' / f'{name}.jpg', seed)
    return tmp_path / 'photos'


def csv_plain(root):
    (root / 'tags.csv').write_text(
        'Image,Label\nIMG 1.jpg,cat\nb.jpg,dog;traffic light\n"sub/Käse, ""c"".jpg",cat;dog\nsub/d.jpg,\n', 'utf-8'
    )


def csv_semicolons(root):
    (root / 'tags.csv').write_text(
        'file name;tags\nIMG 1;cat\nb;traffic light|dog\n"Käse, ""c""";cat|dog\nd;\n', 'utf-8-sig'
    )


def csv_tabs(root):
    (root / 'tags.tsv').write_text(
        'filename\twidth\tlabels\nIMG 1.jpg\t3\tcat\nb.jpg\t3\tdog, traffic light\n'
        'Käse, "c".jpg\t3\tcat,dog\nd.jpg\t3\t\n',
        'utf-16',
    )


def csv_quoted_commas(root):
    (root / 'tags.csv').write_text(
        'image,label\nIMG 1.jpg,cat\nb.jpg,"dog, traffic light"\n"Käse, ""c"".jpg","cat,dog"\nd.jpg,\n', 'utf-8'
    )


def csv_objects(root):
    """A row an object, as tools for detection write them."""
    (root / 'tags.csv').write_text(
        'filename,class,xmin\nIMG 1.jpg,cat,3\nb.jpg,dog,4\nb.jpg,traffic light,4\n'
        '"Käse, ""c"".jpg",cat,1\n"Käse, ""c"".jpg",dog,1\nd.jpg,,\n',
        'utf-8',
    )


def csv_columns(root):
    """Roboflow's ``_classes.csv``."""
    (root / '_classes.csv').write_text(
        'filename, cat, dog, traffic light\nIMG 1.jpg, 1, 0, 0\nb.jpg, 0, 1, 1\n'
        '"Käse, ""c"".jpg", 1, 1, 0\nd.jpg,0,0,0\n',
        'utf-8',
    )


def coco(root):
    images = [dict(id=10 + n, file_name=f'{name}.jpg') for n, name in enumerate(TAGS)]
    categories = [dict(id=3 * n, name=name) for n, name in enumerate([*NAMES, 'unicorn'])]
    annotations = [
        dict(id=n, image_id=10 + image, category_id=3 * NAMES.index(name), bbox=[0, 0, 3, 3])
        for n, (image, name) in enumerate((i, name) for i, names in enumerate(TAGS.values()) for name in names)
    ]
    (root / 'annotations').mkdir()
    content = dict(info={}, images=images, annotations=annotations, categories=categories)
    (root / 'annotations' / 'instances_all.json').write_text(json.dumps(content))


def label_studio(root):
    uploads = ['IMG_1', 'b', 'K%C3%A4se_c', 'd']
    tasks = []
    for n, (upload, names) in enumerate(zip(uploads, TAGS.values())):
        results = [
            dict(type='choices', from_name='tag', value=dict(choices=names[:1])),
            dict(type='rectanglelabels', value=dict(x=1, y=2, rectanglelabels=names[1:])),
        ]
        done = dict(id=n, was_cancelled=False, result=[one for one in results if names])
        skipped = dict(id=99, was_cancelled=True, result=[dict(type='choices', value=dict(choices=['wrong']))])
        image = f'/data/upload/1/{n:08x}-{upload}.jpg'
        tasks.append(dict(id=n, data=dict(image=image), annotations=[done, skipped], predictions=[]))
    (root / 'project-1.json').write_text(json.dumps(tasks))


def label_studio_min(root):
    rows = [
        dict(id=1, image='/data/local-files/?d=photos/IMG%201.jpg', choice='cat', annotator=1),
        dict(id=2, image='s3://bucket/b.jpg?X=1', choice=dict(choices=['dog', 'traffic light'])),
        dict(id=3, image='K\u00e4se, "c".jpg', label=[dict(x=1, rectanglelabels=['dog']), dict(polygonlabels=['cat'])]),
        dict(id=4, image='http://host:8080/data/d.jpg'),
    ]
    (root / 'min.json').write_text(json.dumps(rows))


def labelme(root):
    for path, names in TAGS.items():
        shapes = [dict(label=name, points=[[0, 0], [1, 1]]) for name in names[:1]]
        flags = {name: name in names[1:] for name in NAMES}
        content = dict(version='5', flags=flags, shapes=shapes, imagePath=f'..\\there\\{path.split("/")[-1]}.jpg')
        (root / f'{path}.json').write_text(json.dumps(content))


def yolo(root):
    (root / 'data.yaml').write_text('train: images\nnames:\n  0: cat\n  1: dog\n  2: traffic light\n  3: unicorn\n')
    for path, names in TAGS.items():
        (root / f'{path}.txt').write_text(''.join(f'{NAMES.index(name)} 0.5 0.5 0.1 0.2\n' for name in names))


def yolo_classes_txt(root):
    (root / 'classes.txt').write_text('cat\ndog\ntraffic light\n')
    for path, names in TAGS.items():
        (root / f'{path}.txt').write_text(''.join(f'{NAMES.index(name)} .1 .1 .2 .2 .3 .3\n' for name in names))


def voc_xml(root):
    for path, names in TAGS.items():
        objects = ''.join(f'<object><name>{name}</name></object>' for name in names)
        text = f'<?xml version="1.0" encoding="gb2312"?><annotation><filename>x.jpg</filename>{objects}</annotation>'
        (root / f'{path}.xml').write_text(text)


def cvat(root):
    images = ''.join(
        f'<image name="{path.replace(chr(34), "&quot;")}.jpg" width="16" height="12">'
        + ''.join(f'<tag label="{name}"/>' for name in names[:1])
        + ''.join(f'<polygon label="{name}" points="1,1;4,1;4,4"/>' for name in names[1:])
        + '</image>'
        for path, names in TAGS.items()
    )
    labels = ''.join(f'<label><name>{name}</name></label>' for name in [*NAMES, 'unicorn'])
    text = f'<annotations><version>1.1</version><meta><labels>{labels}</labels></meta>{images}</annotations>'
    (root / 'annotations.xml').write_text(text, 'utf-8')


def masks(root):
    (root / 'classes.txt').write_text('background\ncat\ndog\ntraffic light\n')
    for path, names in TAGS.items():
        draw_mask(root / 'masks' / f'{path}_mask.png', [255, *(NAMES.index(name) + 1 for name in names)])


def coloured_masks(root):
    colours = [(0, 0, 0), (250, 50, 83), (51, 221, 255), (255, 204, 51)]
    lines = ['# label:color_rgb:parts:actions', 'background:0,0,0::']
    lines += [f'{name}:{",".join(map(str, rgb))}::' for name, rgb in zip(NAMES, colours[1:])]
    (root / 'labelmap.txt').write_text('\n'.join(lines))
    for path, names in TAGS.items():
        values = [NAMES.index(name) + 1 for name in names]
        draw_mask(root / 'SegmentationClass' / f'{path}.png', values, colours=colours)


FORMATS = {
    csv_plain: 'csv',
    csv_semicolons: 'csv',
    csv_tabs: 'csv',
    csv_quoted_commas: 'csv',
    csv_objects: 'csv',
    csv_columns: 'csv',
    coco: 'coco',
    label_studio: 'label-studio',
    label_studio_min: 'label-studio',
    labelme: 'labelme',
    yolo: 'yolo',
    yolo_classes_txt: 'yolo',
    cvat: 'cvat',
    voc_xml: 'voc',
    masks: 'masks',
    coloured_masks: 'masks',
}


@pytest.mark.parametrize('write', FORMATS, ids=lambda write: write.__name__)
def test_a_format_is_recognised_and_read(photos, write):
    write(photos)
    found = scan(str(photos))
    assert found.reader.kind == FORMATS[write]
    assert found.classes == tuple(NAMES)
    assert {path: sorted(names) for path, names in found.labels.items()} == {
        f'{path}.jpg': names for path, names in TAGS.items()
    }
    assert scan(str(photos), FORMATS[write]).labels == found.labels


def test_all_kinds_are_tried():
    assert {*FORMATS.values(), 'folders'} == set(KINDS)


def test_a_folder_a_class(tmp_path):
    for seed, name in enumerate(['cat/1.png', 'cat/day 2/2.PNG', '007/1.webp', 'tv & radio/1.bmp', 'background/9.Jpg']):
        draw(tmp_path / 'data' / name, seed)
    found = scan(str(tmp_path))
    assert found.reader.kind == 'folders' and found.classes == ('007', 'cat', 'tv & radio')
    assert found.labels['data/cat/day 2/2.PNG'] == ('cat',) and found.labels['data/background/9.Jpg'] == ()
    assert 'background is taken as none of the classes; --classes may name it' in found.notes
    named = scan(str(tmp_path), classes=['background', 'cat'])
    assert named.labels['data/background/9.Jpg'] == ('background',) and named.labels['data/007/1.webp'] == ()
    assert 'tags that are no classes: 007, tv & radio' in named.notes


def test_splits_are_no_classes_but_a_class_may_be_called_train(tmp_path):
    for name in ['train/cat/1.jpg', 'train/dog/1.jpg', 'valid/cat/2.jpg']:
        draw(tmp_path / 'a' / name)
    for name in ['train/1.jpg', 'cat/1.jpg']:
        draw(tmp_path / 'b' / name)
    assert scan(str(tmp_path / 'a')).classes == ('cat', 'dog')
    assert scan(str(tmp_path / 'b')).classes == ('cat', 'train')


def test_what_lies_about_is_no_photo(photos):
    csv_plain(photos)
    for name in (
        '__MACOSX/b.jpg',
        '.hidden/b.jpg',
        '._b.jpg',
        'work_dirs/a/b.jpg',
        'out/b.jpg',
        'SegmentationClass/x.jpg',
    ):
        draw(photos / name)
    (photos / 'Thumbs.db').write_bytes(b'x')
    (photos / 'loop').symlink_to(photos)
    (photos / 'prices.csv').write_text('id,price\nb.jpg,300\n')
    for path in TAGS:
        draw_mask(photos / 'SegmentationObject' / f'{path}.png', [1, 2, 255])
    folder = PhotoFolder(str(photos), exclude=[str(photos / 'out')])
    assert folder.photos == sorted([*(f'{path}.jpg' for path in TAGS), 'SegmentationClass/x.jpg'])
    assert scan(str(photos), exclude=[str(photos / 'out')]).files == ['tags.csv']


@pytest.mark.parametrize('grey', [False, True])
def test_png_photos_of_equal_names_are_no_masks(tmp_path, grey):
    rng = np.random.default_rng(0)
    for name in ('cat/1.png', 'dog/1.png', 'dog/2.png', 'cat/2.png'):
        draw(tmp_path / name)
        if grey:  # two values, as scanned digits have
            Image.fromarray(rng.integers(0, 2, (12, 16), dtype=np.uint8) * 255).save(tmp_path / name)
    assert len(PhotoFolder(str(tmp_path)).photos) == 4


def test_png_photos_and_png_masks(tmp_path):
    for n in range(3):
        draw(tmp_path / f'{n}.png', n)
        draw_mask(tmp_path / f'{n}_mask.png', [255] * 5)
    found = scan(str(tmp_path))
    assert found.classes == ('object',) and sorted(found.labels) == ['0.png', '1.png', '2.png']


def test_composed_letters_and_not(tmp_path):
    draw(tmp_path / 'Ka\u0308se.jpg')
    draw(tmp_path / 'b.jpg')
    (tmp_path / 'tags.csv').write_text('image,label\nK\u00e4se.jpg,B\u00e4r\nb.jpg,Ba\u0308r\n', 'utf-8')
    found = scan(str(tmp_path), classes=['Ba\u0308r'])
    assert found.labels == {'Ka\u0308se.jpg': ('B\u00e4r',), 'b.jpg': ('B\u00e4r',)}


def test_what_fits_no_photo_is_told_in_one_line(photos):
    (photos / 'tags.csv').write_text('image,label\nb,cat\nnone.jpg,cat\nx 1,cat\nx2,cat\nx3,cat\n')
    (note,) = [note for note in scan(str(photos)).notes if 'no photo:' in note or 'tags of no photo' in note]
    assert note == (
        '4 tags of no photo: tags.csv, line 3: none.jpg: no such photo; tags.csv, line 4: x 1: no such photo; '
        'tags.csv, line 5: x2: no such photo; 1 more'
    )
    assert '3 photos that no tag mentions are left out' in scan(str(photos)).notes


def test_names_that_several_photos_have(tmp_path):
    for name in ('x/1.jpg', 'y/1.jpg', 'y/2.jpg'):
        draw(tmp_path / name)
    (tmp_path / 'tags.csv').write_text('image,label\n1.jpg,cat\ny/1.jpg,dog\n2.jpg,cat\n')
    found = scan(str(tmp_path))
    assert found.labels == {'y/1.jpg': ('dog',), 'y/2.jpg': ('cat',)}
    assert '1.jpg: 2 photos have this name, write its folder too' in '\n'.join(found.notes)


def test_coco_of_two_splits_with_equal_names(tmp_path):
    for split, name in (('train', 'cat'), ('val', 'dog')):
        draw(tmp_path / f'{split}2017' / '1.jpg')
        content = dict(
            images=[dict(id=1, file_name='1.jpg')],
            annotations=[dict(image_id=1, category_id=1)],
            categories=[dict(id=1, name=name)],
        )
        (tmp_path / 'annotations').mkdir(exist_ok=True)
        (tmp_path / 'annotations' / f'instances_{split}2017.json').write_text(json.dumps(content))
        (tmp_path / 'annotations' / f'captions_{split}2017.json').write_text('{"images": [], "annotations": []}')
    assert scan(str(tmp_path)).labels == {'train2017/1.jpg': ('cat',), 'val2017/1.jpg': ('dog',)}


def test_broken_files_among_good_ones_are_told(photos):
    voc_xml(photos)
    (photos / 'b.xml').write_text('<?xml version="1.0" encoding="klingon"?><annotation/>')
    (photos / 'sub' / 'd.xml').write_text('<annotation>')
    found = scan(str(photos))
    assert len(found.labels) == 2
    (note,) = [note for note in found.notes if note.startswith('2 problems: ')]
    assert 'b.xml: broken annotation (unknown encoding: klingon)' in note and 'd.xml: broken annotation' in note


def test_no_photos_no_tags_no_folder(photos, tmp_path):
    with pytest.raises(InputError, match=r'no photo below this folder; it needs \.jpg'):
        (tmp_path / 'empty').mkdir()
        scan(str(tmp_path / 'empty'))
    with pytest.raises(InputError, match=r'nowhere: no such folder'):
        scan(str(tmp_path / 'nowhere'))
    with pytest.raises(
        InputError, match=r'4 photos, but no tags of them; .*COCO json \(coco\), .*\(folders\)'
    ) as caught:
        scan(str(photos))
    assert '\n' not in str(caught.value)
    with pytest.raises(InputError, match=r'no tags of the kind yolo: YOLO txt'):
        scan(str(photos), 'yolo')
    with pytest.raises(
        InputError, match=r'--labels nothing.csv: no such file; name a file of tags, or one of csv, coco'
    ):
        scan(str(photos), 'nothing.csv')
    with pytest.raises(InputError, match=r'--labels .*sub: a folder'):
        scan(str(photos), str(photos / 'sub'))


def test_one_of_several_files(photos, tmp_path):
    csv_plain(photos)
    coco(photos)
    (tmp_path / 'other.csv').write_text('image,label\nb.jpg,lamp\n')
    (photos / 'old.csv').write_text('image,label\nb.jpg,lamp\n')
    both = scan(str(photos))
    assert 'lamp' in both.classes and any('1 photos are in several of old.csv, tags.csv' in note for note in both.notes)
    assert any('tags as coco are there too' in note for note in both.notes)
    assert scan(str(photos), 'coco').reader.kind == 'coco'
    assert scan(str(photos), 'tags.csv').classes == tuple(NAMES)
    assert scan(str(photos), str(tmp_path / 'other.csv')).labels == {'b.jpg': ('lamp',)}
    with pytest.raises(DatasetError, match=r'broken JSON'):
        (photos / 'broken.json').write_text('[{"image": "b.jpg"')
        scan(str(photos), 'broken.json')
