import numpy as np
import pytest
from PIL import Image

from mmamr.apis import affinity_rows, cam_rows, choose_items, init_dataset, init_model, label_rows, save_rows
from mmamr.fileio import read_cam, write_cam
from mmamr.structures import CAM
from mmamr.utils import InputError


@pytest.fixture
def dataset(tiny_config):
    return init_dataset(tiny_config('tiny_amr'))


def test_choose_items(dataset):
    def chosen(*args, **kwargs):
        return [item['img_id'] for item in choose_items(dataset, *args, **kwargs)]

    assert chosen(['img_07', 'img_02']) == ['img_07', 'img_02']
    assert chosen(num=3, seed=1) == chosen(num=3, seed=1) == sorted(chosen(num=3, seed=1))
    assert len({tuple(chosen(num=3, seed=seed)) for seed in range(5)}) > 1
    assert len(chosen(num=100)) == 12
    with pytest.raises(InputError, match=r'^img_99: no such image in .*trainval.txt'):
        chosen(['img_00', 'img_99'])


def test_cam_rows(dataset, write_cams):
    items = choose_items(dataset, ['img_00', 'img_01'])
    rows = cam_rows(dataset, write_cams(), items, write_cams('walks', ['walk']), xi=0.7)
    assert [row.title for row in rows] == ['img_00', 'img_01']
    assert list(rows[0].panels) == [
        'image',
        'spotlight',
        'compensation',
        'weighted, ξ = 0.7',
        'random walk',
        'ground truth',
    ]
    assert [list(row.legend) for row in rows] == [['disc', 'square'], ['square']]
    assert np.array_equal(rows[0].panels['image'], np.asarray(Image.open(items[0]['img_path'])))
    assert (rows[0].panels['random walk'] != rows[0].panels['spotlight']).any()
    apart = cam_rows(dataset, write_cams(), items, per_class=True)
    assert [list(row.legend) for row in apart] == [['disc'], ['square'], ['square']]


def test_label_rows(dataset, write_cams):
    items = choose_items(dataset, ['img_00', 'img_01'])
    masks = items[0]['seg_map_path'].rpartition('/')[0]
    rows = label_rows(dataset, masks, items, write_cams(), xi=0.7)
    assert [list(row.panels) for row in rows] == [['image', 'CAM', 'label', 'ground truth']] * 2
    assert [list(row.legend) for row in rows] == [['disc', 'square'], ['square']]
    assert np.array_equal(rows[0].panels['label'], rows[0].panels['ground truth'])
    assert list(label_rows(dataset, masks, items)[0].panels) == ['image', 'label', 'ground truth']
    with pytest.raises(InputError, match=r'^nowhere/img_00\.png: no such mask'):
        label_rows(dataset, 'nowhere', items)


def test_images_without_mask_have_no_ground_truth(tiny_config, write_cams):
    dataset = init_dataset(tiny_config('tiny_amr'), {'test_dataloader.dataset.mask_dir': None})
    assert 'ground truth' not in cam_rows(dataset, write_cams(), choose_items(dataset, num=1))[0].panels


def test_wrong_cams_are_one_line(dataset, write_cams):
    folder, items = write_cams(), choose_items(dataset, ['img_00'])
    with pytest.raises(FileNotFoundError, match='nowhere'):
        cam_rows(dataset, 'nowhere', items)
    path = f'{folder}/img_00.npz'
    cam = read_cam(path)
    write_cam(path, CAM(cam.maps, np.array([0, 3]), cam.size))
    with pytest.raises(InputError, match=r'^[^\n]*has class 3, but the data set has 3 classes[^\n]*$'):
        cam_rows(dataset, folder, items)
    write_cam(path, CAM({'spotlight': np.ones((1, 1, 1))}, np.array([0]), (3, 3)))
    with pytest.raises(InputError, match=r'^[^\n]*was made of an image of \(3, 3\)[^\n]*$'):
        cam_rows(dataset, folder, items)


@pytest.mark.parametrize(
    'options', [{}, dict(powers=(4.0, 24.0)), dict(unsure=(0.2, 0.6)), dict(cam_power=1.5, xi=0.2)]
)
def test_affinity_rows(tiny_config, dataset, write_cams, options):
    model = init_model(tiny_config('tiny_irnet')).train()
    modes = [module.training for module in model.modules()]
    (row,) = affinity_rows(model, dataset, write_cams(), choose_items(dataset, ['img_00']), **options)
    assert list(row.panels) == [
        'image',
        'CAM',
        'class boundaries',
        'displacement',
        'random walk',
        'pseudo label',
        'ground truth',
    ]
    assert all(panel.shape == (48, 64, 3) for panel in row.panels.values())
    assert [module.training for module in model.modules()] == modes


def test_save_rows(dataset, write_cams, tmp_path):
    rows = cam_rows(dataset, write_cams(), choose_items(dataset, ['img_00', 'img_01']), per_class=True)
    sheet = str(tmp_path / 'sheet.png')
    assert save_rows(rows, sheet, width=64) == [sheet]
    files = save_rows(rows, str(tmp_path / 'folder'), width=64)
    assert [file.rpartition('/')[2] for file in files] == ['img_00_disc.png', 'img_00_square.png', 'img_01.png']
    heights = [Image.open(file).height for file in files]
    assert max(heights) < Image.open(sheet).height < sum(heights)
