import pytest

from mmamr.datasets import folder_metainfo
from mmamr.datasets.folder_classes import text_classes
from mmamr.utils import DatasetError, InputError


def annotate(root, img_id, *names):
    (root / 'Annotations').mkdir(exist_ok=True)
    objects = ''.join(f'<object><name>{name}</name></object>' for name in names)
    (root / 'Annotations' / f'{img_id}.xml').write_text(f'<annotation>{objects}</annotation>')


def test_classes_of_voc_keep_their_order_and_values(tmp_path):
    annotate(tmp_path, 'a', 'sheep', 'cat')
    annotate(tmp_path, 'b', 'dog', ' cat ')
    assert folder_metainfo(str(tmp_path)) == dict(classes=('cat', 'dog', 'sheep'), mask_values=(8, 12, 17))


def test_other_classes_stand_by_their_names(tiny_voc):
    assert folder_metainfo(str(tiny_voc)) == dict(classes=('cross', 'disc', 'square'), mask_values=(1, 2, 3))


def test_a_folder_without_annotations_tells_nothing(tmp_path):
    assert folder_metainfo(str(tmp_path)) is None
    annotate(tmp_path, 'a')
    assert folder_metainfo(str(tmp_path)) is None


def test_a_broken_annotation_is_named(tmp_path):
    annotate(tmp_path, 'a', 'cat')
    (tmp_path / 'Annotations' / 'b.xml').write_text('<annotation>')
    with pytest.raises(DatasetError, match=r'b\.xml: broken annotation'):
        folder_metainfo(str(tmp_path))


def test_a_table_names_the_classes_where_no_annotation_does(tmp_path):
    (tmp_path / 'labels.csv').write_text('image,label\na,dog;cat\nb,\n')
    assert folder_metainfo(str(tmp_path)) == dict(classes=('cat', 'dog'), mask_values=(8, 12))


@pytest.mark.parametrize(
    'classes, expected', [('cat', ('cat',)), (['a', 'Ba\u0308r'], ('a', 'B\u00e4r')), (None, None)]
)
def test_classes_are_texts(classes, expected):
    assert text_classes(dict(classes=classes))['classes'] == expected


@pytest.mark.parametrize('classes, name', [([1, 2], '1'), (7, '7'), (['a', None], 'None'), ([1.5], '1.5')])
def test_classes_that_are_no_texts(classes, name):
    with pytest.raises(InputError, match=rf"^the class {name} is no text; write it in quotes, '{name}', in metainfo"):
        text_classes(dict(classes=classes))
