"""Photographs, labels, masks and CAMs of odd sizes and kinds pass through every stage up to the pseudo labels."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from PIL import Image

from mmamr.fileio import read_cam, write_cam
from mmamr.registry import MODELS
from mmamr.structures import CAM, strided_size

CLASSES = tuple(f'class_{index:02d}' for index in range(20))
SIZES = [
    (1, 1),
    (1, 2),
    (2, 1),
    (2, 2),
    (2, 3),
    (3, 2),
    (1, 3),
    (3, 1),
    (3, 3),
    (4, 4),
    (4, 5),
    (5, 4),
    (5, 5),
    (7, 9),
    (8, 8),
    (1, 64),
    (64, 1),
    (1, 257),
    (257, 1),
    (2, 120),
    (120, 2),
    (5, 64),
    (64, 5),
    (15, 17),
    (16, 16),
    (17, 16),
    (31, 33),
    (33, 31),
    (32, 32),
    (47, 48),
]
"""Heights and widths; each comes twice."""
LARGE = (1500, 2000)
MODES = ('RGB', 'L', 'CMYK', 'P', 'I;16', 'RGBA', 'LA', '1', 'transparent P')
CAMS = ('zero', 'one', 'hot pixel', 'noise', 'faint')


class Photo(NamedTuple):
    """One photograph and what comes with it."""

    name: str
    size: tuple[int, int]
    mode: str
    labels: list[int]
    cam: str
    branches: tuple[str, ...]
    mask: str


def choose_photos() -> list[Photo]:
    """60 small photographs and two large ones, every kind of everything among them."""
    photos = []
    for index, size in enumerate([*SIZES, *SIZES]):
        labels = ([index % 20], [], list(range(20)), [19, 3])[index % 4]
        photos.append(
            Photo(
                f'odd_{index:02d}',
                size,
                MODES[index % len(MODES)],
                labels,
                CAMS[index % len(CAMS)],
                ('spotlight', 'compensation') if index % 3 else ('of_others',),
                ('ignored', 'background', 'some')[index % 3],
            )
        )
    for name, size in (('wide', LARGE), ('tall', LARGE[::-1])):
        photos.append(Photo(name, size, 'RGB', [4, 7], 'noise', ('spotlight', 'compensation'), 'some'))
    return photos


PHOTOS = choose_photos()


def save_photo(folder: Path, photo: Photo, rng: np.random.Generator) -> None:
    """Write the photograph: coarse noise, which a CRF does not find too hard."""
    height, width = photo.size
    coarse = rng.integers(0, 256, (-(-height // 50), -(-width // 50), 3), dtype=np.uint8)
    pixels = coarse.repeat(50, 0).repeat(50, 1)[:height, :width]
    image = Image.fromarray(pixels)
    if photo.mode == 'I;16':
        Image.fromarray(pixels[..., 0].astype(np.uint16) * 256).save(folder / f'{photo.name}.png')
    elif photo.mode == 'transparent P':
        image.quantize(4).save(folder / f'{photo.name}.png', transparency=0)
    else:
        suffix = 'jpg' if photo.mode in ('RGB', 'L', 'CMYK') else 'png'
        image.convert(photo.mode).save(folder / f'{photo.name}.{suffix}')


def make_cam(photo: Photo, rng: np.random.Generator) -> CAM:
    """The CAMs of the photograph."""
    shape = (len(photo.labels), *strided_size(photo.size))
    maps = {}
    for branch in photo.branches:
        values = np.zeros(shape, dtype=np.float32)
        if photo.cam == 'one':
            values[:] = 1
        elif photo.cam == 'hot pixel':
            values[:, shape[1] // 2, shape[2] // 2] = 1
        elif photo.cam == 'noise':
            values = rng.random(shape, dtype=np.float32)
        elif photo.cam == 'faint':
            values[:] = 6e-8  # the smallest number of float16
        maps[branch] = values
    return CAM(maps, np.array(photo.labels, dtype=np.int64), photo.size)


@pytest.fixture(scope='module')
def odd(tmp_path_factory) -> Path:
    """A data set of all photographs in VOC layout, their CAMs in ``cams``, and lists with one large one each."""
    root = tmp_path_factory.mktemp('odd')
    for name in ('JPEGImages', 'SegmentationClass'):
        (root / name).mkdir()
    lines = ['image,label']
    for index, photo in enumerate(PHOTOS):
        rng = np.random.default_rng(index)
        save_photo(root / 'JPEGImages', photo, rng)
        mask = dict(
            ignored=np.full(photo.size, 255),
            background=np.zeros(photo.size),
            some=rng.choice([0, 255, *(label + 1 for label in photo.labels)], photo.size),
        )[photo.mask]
        Image.fromarray(mask.astype(np.uint8)).save(root / 'SegmentationClass' / f'{photo.name}.png')
        lines.append(f'{photo.name},{";".join(CLASSES[label] for label in photo.labels)}')
        write_cam(str(root / 'cams' / f'{photo.name}.npz'), make_cam(photo, rng))
    (root / 'labels.csv').write_text('\n'.join(lines) + '\n')
    for large, other in (('wide', 'tall'), ('tall', 'wide')):
        (root / f'with_{large}.txt').write_text(''.join(f'{one.name}\n' for one in PHOTOS if one.name != other))
    return root


@pytest.fixture
def load(tiny_config, odd):
    """A tiny config for a list of the odd data set: ``load('tiny_irnet', 'with_wide', 'work', {'a.b': 1})``."""

    def run(name, split, work_dir, options=None):
        cfg = tiny_config(name, work_dir, options)
        for loader in ('train_dataloader', 'test_dataloader'):
            settings = dict(data_root=str(odd), split=f'{split}.txt', metainfo=dict(classes=CLASSES))
            if cfg[loader].dataset.type == 'ImageLabelDataset':
                settings.update(labels=dict(type='CSVLabels', file='labels.csv'))
            cfg[loader].dataset.update(settings)
        return cfg

    return run


def check_labels(folder: Path, split: list[Photo], unsure: bool) -> None:
    """One palette PNG an image, of its size and its classes."""
    assert sorted(path.stem for path in folder.glob('*.png')) == sorted(photo.name for photo in split)
    for photo in split:
        with Image.open(folder / f'{photo.name}.png') as label:
            assert label.mode == 'P' and (label.height, label.width) == photo.size, photo
            values = set(np.unique(np.asarray(label)).tolist())
        allowed = {0, *(label + 1 for label in photo.labels), *([255] if unsure else [])}
        assert values <= allowed, photo
        if not photo.labels or photo.cam == 'zero':
            assert values <= {0, 255}, photo


def check_metrics(metrics: dict[str, float], *names: str) -> None:
    assert all(np.isfinite(value) for value in metrics.values()), metrics
    assert all(any(key.startswith(name) for key in metrics) for name in names), metrics


def test_there_are_fifty_and_all_kinds():
    assert len(PHOTOS) >= 50
    assert {photo.mode for photo in PHOTOS} == set(MODES) and {photo.cam for photo in PHOTOS} == set(CAMS)
    assert {len(photo.labels) for photo in PHOTOS} == {0, 1, 2, 20}
    assert {photo.size for photo in PHOTOS} >= {(1, 1), LARGE, LARGE[::-1]}


def test_cam_stage(load, tmp_path):
    cfg = load(
        'tiny_amr',
        'with_wide',
        'work',
        {f'model.{branch}.head.num_classes': 20 for branch in ('spotlight', 'compensation')},
    )
    torch.manual_seed(0)
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), tmp_path / 'weights.pth')
    cfg.load_from = str(tmp_path / 'weights.pth')
    check_metrics(Runner.from_cfg(cfg).test(), 'CAM/spotlight', 'CAM/compensation', 'CAM/weighted')
    for photo in PHOTOS[:-1]:
        cam = read_cam(str(tmp_path / 'work' / 'cams' / f'{photo.name}.npz'))
        assert cam.size == photo.size and cam.classes.tolist() == sorted(photo.labels)


# each method has one of the two large photographs, and its own way from walk to label
@pytest.mark.parametrize(
    'method, train, split, walk, label',
    [
        ('irnet', 'tiny_irnet-train', 'with_wide', {}, {'test_cfg.unsure': (0.2, 0.4)}),
        (
            'affinitynet',
            'tiny_affinitynet-train',
            'with_tall',
            {'test_cfg.powers': (4.0, 24.0)},
            {'test_cfg.power': 24.0},
        ),
    ],
)
def test_affinity_stages(load, odd, tmp_path, monkeypatch, method, train, split, walk, label):
    monkeypatch.setenv('MMAMR_TINY_CAMS', str(odd / 'cams'))
    photos = [photo for photo in PHOTOS if photo.name not in {'wide', 'tall'} - {split[5:]}]

    # confident labels
    cfg = load('tiny_affinity-label', split, 'labels')
    cfg.test_cfg = dict(type='AffinityLabelLoop', cam_dir=str(odd / 'cams'), method=method, crf=dict(iterations=1))
    check_metrics(Runner.from_cfg(cfg).test(), 'label/mIoU', 'label/coverage')
    labels = tmp_path / 'labels' / 'affinity_labels'
    check_labels(labels, photos, unsure=True)

    # training on them; the first two batches hold nothing that is sure
    for photo in photos[:16]:
        Image.fromarray(np.full(photo.size, 255, dtype=np.uint8)).save(labels / f'{photo.name}.png')
    cfg = load(
        train,
        split,
        'train',
        {
            'train_dataloader.batch_size': 8,
            'train_dataloader.sampler.shuffle': False,
            'train_dataloader.dataset.label_dir': str(labels),
            'train_cfg.max_epochs': 1,
        },
    )
    runner = Runner.from_cfg(cfg)
    model = runner.train()
    losses, _ = runner.message_hub.get_scalar('train/loss').data
    assert len(losses) == -(-len(photos) // 8) and np.isfinite(losses).all()
    assert all(value.isfinite().all() for value in model.state_dict().values())

    # walk and pseudo labels
    cfg = load(train, split, 'pseudo', walk)
    cfg.load_from = str(tmp_path / 'train' / 'epoch_1.pth')
    check_metrics(Runner.from_cfg(cfg).test(), 'CAM/walk')
    walks = tmp_path / 'pseudo' / 'walks'
    cfg = load('tiny_pseudo-label', split, 'pseudo', {'test_cfg.cam_dir': str(walks), **label})
    check_metrics(Runner.from_cfg(cfg).test(), 'CAM/walk', 'label/mIoU')
    check_labels(tmp_path / 'pseudo' / 'SegmentationClassPseudo', photos, unsure='test_cfg.unsure' in label)
    for photo in photos:
        cam = read_cam(str(walks / f'{photo.name}.npz'))
        assert cam.size == photo.size and cam.classes.tolist() == photo.labels


def test_labels_straight_from_cams(load, odd, tmp_path):
    cfg = load('tiny_pseudo-label', 'with_tall', 'work', {'test_cfg.cam_dir': str(odd / 'cams')})
    check_metrics(Runner.from_cfg(cfg).test(), 'CAM/weighted', 'CAM/of_others', 'label/mIoU')
    check_labels(
        tmp_path / 'work' / 'SegmentationClassPseudo', [photo for photo in PHOTOS if photo.name != 'wide'], unsure=False
    )
