import pytest

from mmamr.datasets.splits import FolderNames, find_name, image_suffixes, parse_line, read_ids
from mmamr.utils import DatasetError


@pytest.mark.parametrize(
    'line',
    [
        '2007_000032',
        '  2007_000032\t',
        '2007_000032 1',
        '2007_000032 -1 aeroplane',
        '2007_000032.jpg',
        '2007_000032.JPEG',
        '/JPEGImages/2007_000032.jpg /SegmentationClassAug/2007_000032.png',
        'JPEGImages/2007_000032.jpg SegmentationClass/2007_000032.png',
    ],
)
def test_lines_that_lists_have(line):
    assert parse_line(line, 'list, line 1') == '2007_000032'


@pytest.mark.parametrize(
    'line',
    ['/etc/passwd', '../secret', 'a/b', 'a\\b', '..', '.', 'C:x', '/JPEGImages/../x.jpg', '/JPEGImages/..', 'a\0b'],
)
def test_an_id_never_leaves_the_folder(line):
    with pytest.raises(DatasetError, match=r"list, line 7: the id '.*' is a path; write the name") as caught:
        parse_line(line, 'list, line 7')
    assert caught.value.kind == 'id is a path'


def test_a_colon_is_no_separator():
    assert parse_line('frame:01', 'list, line 1') == 'frame:01'


def test_a_list_keeps_its_order(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_bytes('\ufeffb\r\n\r\na.png 3\r\nc..d\r\n'.encode())
    assert read_ids(path) == ['b', 'a', 'c..d']


def test_a_missing_list_says_what_to_do(tmp_path):
    with pytest.raises(DatasetError, match=r'there is no folder .*, set data_root'):
        read_ids(tmp_path / 'nowhere' / 'list.txt')
    with pytest.raises(DatasetError, match=r'put one there'):
        read_ids(tmp_path / 'list.txt')
    with pytest.raises(DatasetError, match=r'sbd.py'):
        read_ids(tmp_path / 'train_aug.txt')
    (tmp_path / 'train.txt').write_text('a\n')
    with pytest.raises(DatasetError, match=r'set split to one of train.txt'):
        read_ids(tmp_path / 'list.txt')
    with pytest.raises(DatasetError, match=r'no such list'):
        read_ids(tmp_path)


@pytest.mark.parametrize(
    'line, img_id',
    [
        ('IMG 1.jpg', 'IMG 1'),
        ('IMG 1', 'IMG 1'),
        ('IMG 1 1', 'IMG 1'),
        ('IMG 1.jpg 1', 'IMG 1'),
        ('IMG -1', 'IMG -1'),
        ('IMG', 'IMG'),
        ('IMG  2', 'IMG'),
        ('a  0', 'a'),
        ('a  1', 'a'),
        ('a -1', None),
        ('a.jpg b.png', 'a'),
    ],
)
def test_an_id_with_blanks_is_one_if_the_image_is_there(line, img_id):
    assert parse_line(line, 'list, line 1', {'IMG', 'IMG 1', 'IMG -1', 'a'}.__contains__) == img_id


def test_a_name_with_blanks_and_a_suffix_is_whole_anyway():
    assert parse_line('IMG 1.jpg', 'list, line 1') == 'IMG 1'
    assert parse_line('IMG 1', 'list, line 1') == 'IMG'
    assert parse_line('a.jpg b c.png', 'list, line 1') == 'a'


def test_lists_of_one_class(tmp_path):
    """VOC's ``cat_train.txt``: -1 is without a cat, 0 has difficult ones only."""
    path = tmp_path / 'cat_train.txt'
    path.write_text('2008_000008  1\n2008_000015 -1\n2008_000019  0\n2008_000023 -1\n')
    assert read_ids(path) == ['2008_000008', '2008_000019']
    path.write_text('2008_000015 -1\n')
    with pytest.raises(DatasetError, match=r'cat_train.txt: every image is marked by -1; name a list with images'):
        read_ids(path)


NAMES = ['a.Jpg', 'b.webp', 'c.TIF', 'd.bmp', 'e.tiff', 'f.JPG', 'f.png', 'Ka\u0308se.jpeg', 'g.gif']


@pytest.mark.parametrize(
    'img_id, name', [('a', 'a.Jpg'), ('c', 'c.TIF'), ('f', 'f.png'), ('K\u00e4se', 'Ka\u0308se.jpeg'), ('g', None)]
)
def test_suffixes_in_any_case_and_letters_in_any_form(img_id, name):
    assert find_name(img_id, image_suffixes('auto'), FolderNames(NAMES)) == name


def test_a_suffix_that_is_named_is_meant_as_it_is():
    assert find_name('f', image_suffixes('.jpg'), FolderNames(NAMES)) is None
    assert find_name('f', image_suffixes('.JPG'), FolderNames(NAMES)) == 'f.JPG'
    assert find_name('K\u00e4se', ['.jpeg'], FolderNames(NAMES)) == 'Ka\u0308se.jpeg'


def test_a_folder_that_is_not_there_has_no_names(tmp_path):
    assert FolderNames.of(str(tmp_path / 'nowhere')) == frozenset()
