import hashlib
import multiprocessing
import pathlib
import shutil

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from PIL import Image

from mmamr.datasets.check import check_dataset
from mmamr.datasets.embedded import CLASSES, draw_image, draw_scene, embedded_root, folder, split_ids
from mmamr.datasets.embedded.canvas import Canvas, Dice, Ellipse, Frame, Limb, cosine, noise, sine
from mmamr.datasets.embedded.creatures import HEADS
from mmamr.datasets.embedded.scene import SIZES
from mmamr.datasets.embedded.scenery import PLACES, THINGS
from mmamr.registry import DATASETS
from mmamr.structures import voc_palette
from mmamr.utils import DatasetError

SMALL = dict(num_train=5, num_val=2)
# SHA-256 over the pixels of images and masks: the same on every machine, so a change here needs a new VERSION.
PIXELS = {
    'train_0000': 'a693d71d86fe1a112edbb1ad7a76a436df166b125be40ba260dd842c30022695',
    'train_0123': 'bc325608fd219103c0b27f6276485bf497debb01be18b86b7f8273f2533b349b',
    'val_0042': 'd833b91b2828d52d49cbeb699a338176e7d7fc74938c137533d09d47d51cbb1f',
}
ALL_PIXELS = '48fabebccdfdfe9464897761ecbd57bebfcdaa448b60d0f1d4ee1b0dff66246f'

CONFIGS = pathlib.Path(__file__).parents[2] / 'configs'


def pixels(scene):
    return scene.image.tobytes() + scene.mask.tobytes()


@pytest.fixture(scope='module')
def small_root(tmp_path_factory):
    """A data set of seven pictures, not to be changed."""
    return embedded_root(str(tmp_path_factory.mktemp('embedded') / 'data'), **SMALL)


@pytest.fixture
def own_root(small_root, tmp_path):
    """A copy of it."""
    return shutil.copytree(small_root, tmp_path / 'data')


class TestCanvas:
    def test_sine(self):
        angles = np.arange(-400, 800)
        exact = 1024 * np.sin(np.deg2rad(angles))
        assert np.abs([sine(int(angle)) for angle in angles] - exact).max() < 2.7
        assert [cosine(angle) for angle in (0, 90, 180)] == [1024, 0, -1024]

    def test_dice_repeat_and_stay_in_range(self):
        dice, again = Dice(3, 4), Dice(3, 4)
        throws = [dice.integer(-2, 2) for _ in range(200)]
        assert throws == [again.integer(-2, 2) for _ in range(200)]
        assert set(throws) == {-2, -1, 0, 1, 2}
        assert [Dice(3, 5).integer(0, 10**6)] != [Dice(3, 4).integer(0, 10**6)]
        assert not dice.chance(0) and dice.chance(100)
        assert all(0 <= value <= 255 for _ in range(50) for value in dice.colour((2, 128, 254)))
        assert {dice.choice('ab') for _ in range(30)} == {'a', 'b'}

    def test_ellipse_area_and_anti_aliasing(self):
        canvas = Canvas(60, 80)
        canvas.paint([Ellipse(160, 120, 100, 60, angle=30)], (200, 200, 200), owner=1, light=0)
        assert (canvas.owner == 1).sum() == pytest.approx(np.pi * 100 * 60, rel=0.01)
        owner, shared = canvas.owners()
        image = canvas.pixels()
        assert image.shape == (60, 80, 3) and image.dtype == np.uint8
        assert (image[~shared & (owner == 0)] == 0).all()
        assert ((image > 0) & (image < 150)).any()
        assert (image[~shared & (owner == 1)] > 150).all()

    def test_limb_is_a_capsule(self):
        canvas = Canvas(50, 50)
        canvas.paint([Limb(50, 100, 20, 150, 100, 20)], (9, 9, 9), owner=2)
        assert (canvas.owner == 2).sum() == pytest.approx(100 * 40 + np.pi * 20**2, rel=0.03)

    def test_outline_lies_around(self):
        plain, outlined = Canvas(30, 30), Canvas(30, 30)
        plain.paint([Ellipse(60, 60, 30, 30)], (99, 99, 99), owner=1)
        outlined.paint([Ellipse(60, 60, 30, 30)], (99, 99, 99), owner=1, line=(7, 8, 9), line_width=5)
        ring = (outlined.owner == 1) & (plain.owner == 0)
        assert ring.sum() == pytest.approx(np.pi * (35**2 - 30**2), rel=0.05)
        assert (outlined.rgb[ring] == (7, 8, 9)).all()
        np.testing.assert_array_equal(outlined.rgb[plain.owner == 1], plain.rgb[plain.owner == 1])

    def test_outside_is_left_out(self):
        canvas = Canvas(10, 10)
        canvas.paint([Ellipse(-100, 20, 30, 30)], (9, 9, 9), owner=1)
        canvas.shade(Ellipse(20, 900, 30, 30), 200)
        canvas.paint([Ellipse(0, 0, 10, 10), Ellipse(-100, 20, 30, 30)], (9, 9, 9), owner=1)
        assert 0 < canvas.owner.sum() < 10 * 10 * 16

    def test_shade_darkens_and_keeps_the_owner(self):
        canvas = Canvas(10, 10)
        canvas.paint([Ellipse(20, 20, 60, 60)], (200, 200, 200), owner=3, light=0)
        before = canvas.rgb.copy()
        canvas.shade(Ellipse(20, 20, 10, 10), 128)
        assert canvas.rgb[20, 20, 0] < before[20, 20, 0] * 6 // 10
        assert (canvas.rgb[0] == before[0]).all() and (canvas.owner == 3).all()

    def test_noise_is_smooth(self):
        plane = noise(Dice(0), 40, 70, 10)
        assert plane.shape == (40, 70) and plane.min() >= 0 and plane.max() <= 255
        assert np.abs(np.diff(plane, axis=1)).max() <= 255 * 0.16

    def test_frame(self):
        assert Frame(10, 20, 200).at(50, -10) == (110, 0)
        assert Frame(10, 20, 200, facing=-1).at(50, -10) == (-90, 0)
        assert Frame(10, 20, 100, tilt=90).at(50, 0) == (10, 70)
        child = Frame(0, 0, 200, facing=-1).child(50, 0, 50, tilt=9)
        assert child == (-100, 0, 100, -1, 9)


class TestScene:
    @pytest.mark.parametrize('img_id', PIXELS)
    def test_same_pixels_everywhere(self, img_id):
        assert hashlib.sha256(pixels(draw_image(img_id))).hexdigest() == PIXELS[img_id]

    @pytest.mark.slow
    def test_same_pixels_everywhere_all(self):
        checksum = hashlib.sha256()
        for split in split_ids().values():
            for img_id in split:
                checksum.update(pixels(draw_image(img_id)))
        assert checksum.hexdigest() == ALL_PIXELS

    def test_mask_and_objects_agree(self):
        sizes, names, crowds, flags = set(), set(), set(), set()
        for number in range(60):
            scene = draw_scene(7, number)
            assert scene.image.dtype == scene.mask.dtype == np.uint8
            assert scene.image.shape == (*scene.mask.shape, 3)
            assert set(np.unique(scene.mask)) == {0, 255} | {1 + CLASSES.index(thing.name) for thing in scene.objects}
            for thing in scene.objects:
                xmin, ymin, xmax, ymax = thing.box
                assert 0 <= xmin < xmax < scene.mask.shape[1] and 0 <= ymin < ymax < scene.mask.shape[0]
            sizes.add(scene.mask.shape)
            names |= {thing.name for thing in scene.objects}
            crowds.add(len(scene.objects))
            flags |= {('truncated', thing.truncated) for thing in scene.objects}
            flags |= {('difficult', thing.difficult) for thing in scene.objects}
        assert sizes == set(SIZES) and names == set(CLASSES) and crowds == {1, 2, 3} and len(flags) == 4

    def test_border(self):
        with_border, without = draw_scene(1, 2), draw_scene(1, 2, border=False)
        np.testing.assert_array_equal(with_border.image, without.image)
        assert 255 not in without.mask
        border = with_border.mask == 255
        np.testing.assert_array_equal(with_border.mask[~border], without.mask[~border])
        # Different values never touch, and the border is thin.
        inner = np.where(border, -1, with_border.mask.astype(int))
        for one, other in ((inner[1:], inner[:-1]), (inner[:, 1:], inner[:, :-1])):
            assert ((one == other) | (one < 0) | (other < 0)).all()
        assert border.mean() < 0.08

    def test_all_kinds_and_things_can_be_drawn(self):
        assert tuple(HEADS) == CLASSES
        assert {thing for place in PLACES for thing in place.things} == set(THINGS)
        for draw in THINGS.values():
            canvas = Canvas(40, 40)
            draw(Dice(0), canvas, Frame(80, 140, 50))
            assert canvas.rgb.any() and not canvas.owner.any()


class TestFolder:
    def test_layout(self, small_root):
        ids = split_ids(**SMALL)
        for split, names in ids.items():
            with open(f'{small_root}/ImageSets/Segmentation/{split}.txt') as file:
                assert file.read().split() == names
            for img_id in names:
                scene = draw_image(img_id)
                image = Image.open(f'{small_root}/JPEGImages/{img_id}.png')
                mask = Image.open(f'{small_root}/SegmentationClass/{img_id}.png')
                np.testing.assert_array_equal(np.asarray(image), scene.image)
                np.testing.assert_array_equal(np.asarray(mask), scene.mask)
                assert mask.mode == 'P' and mask.getpalette() == voc_palette().reshape(-1).tolist()

    def test_first_pictures_do_not_depend_on_their_number(self, small_root, tmp_path):
        fewer = embedded_root(str(tmp_path / 'fewer'), num_train=1, num_val=1)
        for path in ('JPEGImages/train_0000.png', 'Annotations/val_0000.xml'):
            with open(f'{small_root}/{path}', 'rb') as one, open(f'{fewer}/{path}', 'rb') as other:
                assert one.read() == other.read()

    def test_drawn_once(self, small_root, monkeypatch):
        monkeypatch.setattr(folder, 'draw_image', lambda *args: pytest.fail('drawn again'))
        assert embedded_root(small_root, **SMALL) == small_root

    @pytest.mark.parametrize(
        'path',
        [
            'JPEGImages/train_0001.png',
            'SegmentationClass/val_0000.png',
            'Annotations/train_0004.xml',
            'ImageSets/Segmentation/val.txt',
            'manifest.json',
        ],
    )
    @pytest.mark.parametrize('content', [None, b'', b'{"sha256": {'])
    def test_broken_file_is_made_again(self, own_root, path, content):
        broken, stays = own_root / path, own_root / 'SegmentationClassPseudo' / 'train_0000.png'
        stays.parent.mkdir()
        stays.touch()
        whole = broken.read_bytes()
        if content is None:
            broken.unlink()
        else:
            broken.write_bytes(content)
        if path == 'manifest.json' and content is None:
            shutil.rmtree(own_root / 'ImageSets')  # killed before the lists and the manifest were written
        embedded_root(str(own_root), **SMALL)
        assert broken.read_bytes() == whole
        assert stays.exists()

    def test_killed_while_drawing(self, own_root, tmp_path, monkeypatch):
        drawn = []

        def draw(img_id, seed):
            if len(drawn) == 3:
                raise KeyboardInterrupt
            drawn.append(img_id)
            return draw_image(img_id, seed)

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(folder, 'draw_image', draw)
            embedded_root(str(tmp_path / 'new'), **SMALL)
        embedded_root(str(tmp_path / 'new'), **SMALL)
        assert tree(tmp_path / 'new') == tree(own_root)

    def test_two_processes_at_once(self, small_root, tmp_path):
        context = multiprocessing.get_context('fork')
        processes = [
            context.Process(target=embedded_root, args=(str(tmp_path / 'new'),), kwargs=SMALL) for _ in range(2)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
            assert process.exitcode == 0
        assert tree(tmp_path / 'new') == tree(small_root)

    def test_cache_folder(self, tmp_path, monkeypatch):
        monkeypatch.setattr(folder, '_write_image', lambda *args: None)
        monkeypatch.setattr(folder, '_checksum', lambda path: '')
        monkeypatch.setattr(folder, 'draw_image', lambda *args: None)
        monkeypatch.setenv('MMAMR_CACHE', str(tmp_path / 'cache'))
        assert embedded_root() == str(tmp_path / 'cache' / 'embedded-v1')
        assert embedded_root(num_val=3, seed=5) == str(tmp_path / 'cache' / 'embedded-v1_400-3-seed5')
        monkeypatch.setenv('MMAMR_CACHE', '')
        monkeypatch.setenv('HOME', str(tmp_path / 'home'))
        assert embedded_root() == str(tmp_path / 'home' / '.cache' / 'mmamr' / 'embedded-v1')

    def test_other_data_set_is_left_alone(self, own_root, tiny_voc):
        with pytest.raises(DatasetError, match=r'data: holds another data set.*choose another folder'):
            embedded_root(str(own_root), seed=1, **SMALL)
        before = tree(tiny_voc)
        with pytest.raises(DatasetError, match='holds another data set'):
            embedded_root(str(tiny_voc))
        assert tree(tiny_voc) == before

    def test_folder_that_cannot_be_written(self, tmp_path):
        (tmp_path / 'file').touch()
        with pytest.raises(DatasetError, match=r'file/data: the embedded data set cannot be written .*MMAMR_CACHE'):
            embedded_root(str(tmp_path / 'file' / 'data'), **SMALL)


class TestDatasets:
    def test_image_labels(self, small_root):
        dataset = DATASETS.build(
            dict(type='EmbeddedDataset', data_root=small_root, mask_dir='SegmentationClass', **SMALL)
        )
        assert dataset.metainfo['classes'] == CLASSES
        assert [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))] == split_ids(**SMALL)['train']
        for i in range(len(dataset)):
            item = dataset.get_data_info(i)
            scene = draw_image(item['img_id'])
            assert item['gt_label'] == sorted({CLASSES.index(thing.name) for thing in scene.objects})
            assert dataset.get_image_size(i) == scene.mask.shape
        assert not check_dataset(dataset, 1).problems

    def test_affinity_labels(self, small_root):
        dataset = DATASETS.build(
            dict(
                type='EmbeddedAffinityLabelDataset',
                data_root=small_root,
                label_dir=f'{small_root}/SegmentationClass',
                **SMALL,
            )
        )
        assert len(dataset) == 5 and dataset[0]['class_index'].classes == CLASSES

    def test_masks(self, small_root):
        dataset = DATASETS.build(
            dict(
                type='EmbeddedSegmentationDataset',
                data_root=small_root,
                ann_file='ImageSets/Segmentation/val.txt',
                data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
                **SMALL,
            )
        )
        assert len(dataset) == 2
        assert dataset.metainfo['classes'] == ('background', *CLASSES)

    @pytest.mark.parametrize(
        'name, stages',
        [
            ('_base_/datasets/embedded.py', ('train', 'val', 'test')),
            ('_base_/datasets/embedded_affinity.py', ('train', 'test')),
            ('deeplabv2/deeplabv2_resnet18-w16-d8_1xb16-800i_embedded-96x96.py', ('train', 'val', 'test')),
        ],
    )
    def test_configs(self, name, stages, own_root):
        (own_root / 'SegmentationClassPseudo').symlink_to(own_root / 'SegmentationClass')
        cfg = Config.fromfile(CONFIGS / name)
        init_default_scope('mmseg' if 'deeplabv2' in name else 'mmamr')
        for stage in stages:
            loader = cfg[f'{stage}_dataloader']
            loader.update(num_workers=0, persistent_workers=False, batch_size=4)
            loader.dataset.update(data_root=str(own_root), **SMALL)
            if 'label_dir' in loader.dataset:
                loader.dataset.update(label_dir=str(own_root / 'SegmentationClass'))
            batch = next(iter(Runner.build_dataloader(loader)))
            inputs = batch['inputs']
            assert len(inputs) == len(batch['data_samples']) >= 1
            if stage == 'train':
                size = 112 if name.endswith('embedded.py') else 96
                assert all(image.shape == (3, size, size) for image in inputs)


def tree(root):
    """Paths and bytes of all files."""
    return {str(path.relative_to(root)): path.read_bytes() for path in pathlib.Path(root).rglob('*') if path.is_file()}
