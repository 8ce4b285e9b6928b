import numpy as np
import pytest
from PIL import Image

from mmamr.datasets import ImageLabelDataset, SegmentationDataset
from mmamr.datasets.mask_colors import class_index_of, read_labelmap
from mmamr.fileio import read_truth
from mmamr.utils import DatasetError

# as CVAT writes it
LABELMAP = """# label:color_rgb:parts:actions
background:0,0,0::
cat:250,50,83::
traffic light:51,221,255::
a:b:1,2,3::
"""


def test_label_map_of_cvat(tmp_path):
    path = tmp_path / 'labelmap.txt'
    path.write_text(LABELMAP)
    assert read_labelmap(str(path)) == {
        'background': [[0, 0, 0]],
        'cat': [[250, 50, 83]],
        'traffic light': [[51, 221, 255]],
        'a:b': [[1, 2, 3]],
    }
    path.write_text('cat: 1, 2, 3')
    assert read_labelmap(str(path)) == {'cat': [[1, 2, 3]]}


@pytest.mark.parametrize('line', ['cat', 'cat:1,2::', 'cat:1,2,256::', ':1,2,3::', 'cat:red::', 'cat:-1,2,3::'])
def test_broken_label_maps(tmp_path, line):
    path = tmp_path / 'labelmap.txt'
    path.write_text(f'# comment\n\n{line}\n')
    with pytest.raises(DatasetError, match=r'labelmap.txt, line 3: a line is name:red,green,blue') as caught:
        read_labelmap(str(path))
    assert '\n' not in str(caught.value)
    path.write_bytes(b'\xff\xfe')
    with pytest.raises(DatasetError, match=r'labelmap\.txt: no text file'):
        read_labelmap(str(path))


def test_where_colours_come_from(tmp_path):
    (tmp_path / 'labelmap.txt').write_text(LABELMAP)
    assert class_index_of(dict(classes=('cat',)), str(tmp_path)).palette.tolist() == [[0, 0, 0], [250, 50, 83]]
    # of other classes: it is not about this data set
    assert class_index_of(dict(classes=('cat', 'dog')), str(tmp_path)).mask_colors is None
    assert class_index_of(dict(classes='cat', mask_colors='values'), str(tmp_path)).mask_colors == 'values'
    (tmp_path / 'labelmap.txt').rename(tmp_path / 'mine.txt')
    assert class_index_of(dict(classes='cat'), str(tmp_path)).mask_colors is None
    named = class_index_of(dict(classes='cat', mask_colors='mine.txt'), str(tmp_path))
    assert named.palette.tolist() == [[0, 0, 0], [250, 50, 83]]
    with pytest.raises(DatasetError, match=r'other\.txt: no such label map'):
        class_index_of(dict(classes='cat', mask_colors='other.txt'), str(tmp_path))


def test_masks_of_cvat_are_read(tiny_voc):
    """As exported, in colours, with the label map beside them."""
    (tiny_voc / 'labelmap.txt').write_text('disc:250,0,0::\nsquare:0,250,0::\ncross:0,0,250::\nbackground:0,0,0::\n')
    metainfo = dict(classes=('disc', 'square', 'cross'))
    colours = np.zeros((256, 3), dtype=np.uint8)
    colours[[1, 2, 3, 255]] = (250, 0, 0), (0, 250, 0), (0, 0, 250), (224, 224, 192)
    wanted = {}
    for path in (tiny_voc / 'SegmentationClass').iterdir():
        wanted[path.stem] = np.asarray(Image.open(path))
        Image.fromarray(colours[wanted[path.stem]]).save(path)
    dataset = ImageLabelDataset(str(tiny_voc), mask_dir='SegmentationClass', metainfo=metainfo)
    for index in range(len(dataset)):
        item = dataset.get_data_info(index)
        assert (read_truth(item, dataset.class_index) == wanted[item['img_id']]).all()
    segmentation = SegmentationDataset('ImageSets/Segmentation/val.txt', data_root=str(tiny_voc), metainfo=metainfo)
    assert segmentation.metainfo['palette'] == [[0, 0, 0], [250, 0, 0], [0, 250, 0], [0, 0, 250]]
    (tiny_voc / 'labelmap.txt').unlink()
    dataset = ImageLabelDataset(str(tiny_voc), mask_dir='SegmentationClass', metainfo=metainfo)
    with pytest.raises(DatasetError, match=r"colours .* belong to no class; .* CVAT's labelmap.txt into data_root"):
        read_truth(dataset.get_data_info(0), dataset.class_index)
