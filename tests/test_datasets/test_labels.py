import numpy as np
import pytest

from mmamr.datasets import CSVLabels, LabelTable, MaskLabels, VOCXMLLabels
from mmamr.registry import TASK_UTILS
from mmamr.structures import ClassIndex
from mmamr.utils import DatasetError

INDEX = ClassIndex(('disc', 'square', 'cross'))


def build(root, **cfg):
    return TASK_UTILS.build(cfg, default_args=dict(class_index=INDEX, data_root=str(root)))


def test_xml_with_and_without_difficult_objects(tiny_voc):
    source = build(tiny_voc, type='VOCXMLLabels')
    assert isinstance(source, VOCXMLLabels) and not source.lazy
    assert [source(f'img_{i:02d}') for i in range(5)] == [[0, 1], [1], [2], [0], [1, 2]]
    easy = build(tiny_voc, type='VOCXMLLabels', difficult=False)
    assert [easy(f'img_{i:02d}') for i in range(5)] == [[0], [1], [2], [0], [1]]


def test_names_of_parts_are_no_labels(tiny_voc):
    (tiny_voc / 'Annotations' / 'img_00.xml').write_text(
        '<annotation><object><name> disc </name><part><name>head</name></part></object></annotation>'
    )
    assert build(tiny_voc, type='VOCXMLLabels', difficult=False)('img_00') == [0]


def test_wrong_xml(tiny_voc):
    source = build(tiny_voc, type='VOCXMLLabels', ann_dir='Annotations')
    path = tiny_voc / 'Annotations' / 'img_00.xml'
    path.write_text('<annotation><object><name>unicorn</name></object></annotation>')
    with pytest.raises(DatasetError, match=r"img_00.xml: unknown class 'unicorn', the classes are disc, square, cross"):
        source('img_00')
    path.write_text('<annotation><object>')
    with pytest.raises(DatasetError, match=r'img_00.xml: broken annotation'):
        source('img_00')
    path.unlink()
    with pytest.raises(DatasetError, match=r'img_00.xml: no such annotation; .*MaskLabels') as caught:
        source('img_00')
    assert caught.value.kind == 'missing label'


def test_masks_give_the_same_labels(tiny_voc):
    masks, xml = build(tiny_voc, type='MaskLabels'), build(tiny_voc, type='VOCXMLLabels')
    assert isinstance(masks, MaskLabels) and masks.lazy
    for i in range(12):
        assert masks(f'img_{i:02d}') == xml(f'img_{i:02d}')
    with pytest.raises(DatasetError, match=r'no such mask'):
        masks('img_99')
    few = TASK_UTILS.build(
        dict(type='MaskLabels', mask_dir='SegmentationClass'),
        default_args=dict(class_index=ClassIndex(('disc',)), data_root=str(tiny_voc)),
    )
    with pytest.raises(DatasetError, match=r'img_01.png: mask values \[2\]'):
        few('img_01')


def test_csv(tmp_path):
    (tmp_path / 'labels.csv').write_text('image,label\na,disc;cross\nb.jpg, square \nc,\n"d e",disc;disc;\n')
    source = build(tmp_path, type='CSVLabels', file='labels.csv')
    assert isinstance(source, CSVLabels)
    assert [source(i) for i in ('a', 'b', 'c', 'd e')] == [[0, 2], [1], [], [0]]
    with pytest.raises(DatasetError, match=r'labels.csv: no labels for x; add a line') as caught:
        source('x')
    assert caught.value.kind == 'missing label'


def test_table(tmp_path):
    labels = np.uint8([[1, 1, 0], [0, 0, 1]])
    np.savez(tmp_path / 't.npz', ids=['a', 'b'], classes=['cross', 'disc', 'dog'], labels=labels)
    source = build(tmp_path, type='LabelTable', file='t.npz')
    assert isinstance(source, LabelTable)
    assert source('a') == [0, 2]  # by name, not by column
    with pytest.raises(DatasetError, match=r"t.npz, b: unknown class 'dog'"):
        source('b')
    with pytest.raises(DatasetError, match=r'no labels for c'):
        source('c')


def test_wrong_table(tmp_path):
    with pytest.raises(DatasetError, match=r't.npz: no such label table'):
        build(tmp_path, type='LabelTable', file='t.npz')
    np.savez(tmp_path / 't.npz', ids=['a'], classes=['disc'], labels=np.zeros((2, 1)))
    with pytest.raises(DatasetError, match=r'1 ids and 1 classes; convert'):
        build(tmp_path, type='LabelTable', file='t.npz')
    # A pickle is never opened.
    np.save(tmp_path / 't.npy', {'a': np.ones(3)})
    for content in ((tmp_path / 't.npy').read_bytes(), b'', b'PK\x03\x04'):
        (tmp_path / 't.npz').write_bytes(content)
        with pytest.raises(DatasetError, match=r't.npz: no label table; make one .*irnet_labels.py'):
            build(tmp_path, type='LabelTable', file='t.npz')


def xml(encoding, name='disc'):
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n<annotation><object><name>{name}</name></object></annotation>'
    return text.encode(encoding if encoding not in ('klingon', 'utf-16 ') else 'ascii')


@pytest.mark.parametrize('encoding', ['gb2312', 'utf-8', 'UTF-16', 'latin-1', 'windows-1252', 'shift_jis', 'ascii'])
def test_xml_in_any_encoding(tmp_path, encoding):
    (tmp_path / 'Annotations').mkdir()
    (tmp_path / 'Annotations' / 'a.xml').write_bytes(xml(encoding))
    assert build(tmp_path, type='VOCXMLLabels')('a') == [0]


@pytest.mark.parametrize(
    'data', [xml('klingon'), b'\xff\xfe\x00', xml('ascii').replace(b'disc', b'\xe4'), b'', b'\x00\x01', b'<a>&b;</a>']
)
def test_xml_that_cannot_be_read_is_one_line(tmp_path, data):
    (tmp_path / 'Annotations').mkdir()
    (tmp_path / 'Annotations' / 'a.xml').write_bytes(data)
    with pytest.raises(DatasetError, match=r'a.xml: broken annotation \(.*\); copy it again, or save it in UTF-8$'):
        build(tmp_path, type='VOCXMLLabels')('a')


@pytest.mark.parametrize(
    'content',
    [
        'Image,Label\na,disc;cross\nb,\n',
        'FileName;Tags\na.jpg;disc|cross\nb.jpg;\n',
        'image,label\na,"disc,cross"\nb,\n',
        'id,split,labels\na,x,"[""disc"", ""cross""]"\nb,x,\n',
        "image,label\na,\"['disc', 'cross']\"\nb,\n",
        'filename,disc,square,cross\na.jpg,1,0,1\nb.jpg,0,0,0\n',
        'image , label\n\n"a", disc ; cross \n b ,\n\n',
    ],
)
def test_tables_in_other_forms(tmp_path, content):
    (tmp_path / 'labels.csv').write_text(content)
    source = build(tmp_path, type='CSVLabels', file='labels.csv')
    assert source('a') == [0, 2] and source('b') == []


def test_classes_with_commas_in_a_table(tmp_path):
    (tmp_path / 'labels.csv').write_text('image,label\na,"big, red"\nb,"big, red;007"\n')
    index = ClassIndex(('big, red', '007'))
    source = CSVLabels('labels.csv', class_index=index, data_root=str(tmp_path))
    assert [source('a'), source('b')] == [[0], [0, 1]]
