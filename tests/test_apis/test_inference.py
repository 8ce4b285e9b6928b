import subprocess
import sys

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from PIL import Image

from mmamr.apis import init_model, make_cams, show_cams
from mmamr.fileio import read_cam
from mmamr.utils import InputError


@pytest.fixture
def checkpoint(tiny_config, tmp_path):
    """Random weights, as a training run would have saved them."""
    torch.manual_seed(0)
    model = init_model(tiny_config('tiny_amr'))
    path = tmp_path / 'weights.pth'
    meta = dict(dataset_meta=dict(classes=('disc', 'square', 'cross')))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    return str(path)


@pytest.fixture
def model(tiny_config, checkpoint):
    return init_model(tiny_config('tiny_amr'), checkpoint)


def photo(size=(40, 56), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def test_importing_the_package_is_light():
    code = 'import sys, mmamr; print([name for name in ("mmseg", "mmpretrain", "matplotlib") if name in sys.modules])'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'


def test_init_model(tiny_config, checkpoint, model):
    assert not any(module.training for module in model.modules())
    assert model.dataset_meta['classes'] == ('disc', 'square', 'cross') and model.cfg.test_cfg.type == 'CAMLoop'
    saved = torch.load(checkpoint, weights_only=True)['state_dict']
    assert all(torch.equal(value, saved[name]) for name, value in model.state_dict().items())
    maps = model.class_maps(torch.rand(2, 3, 40, 56))
    assert {name: value.shape for name, value in maps.items()} == {
        'spotlight': (2, 3, 3, 4),
        'compensation': (2, 3, 3, 4),
    }


def test_init_model_leaves_the_scope_alone(tiny_config, checkpoint):
    def scope():
        instance = DefaultScope.get_current_instance()
        return instance and instance.scope_name

    with DefaultScope.overwrite_default_scope('mmseg'):
        model = init_model(tiny_config('tiny_amr'), checkpoint, cfg_options={'model.loss_cps.loss_weight': 0.7})
        assert scope() == 'mmseg' and model.loss_cps.loss_weight == 0.7


def test_pretrained_weights_are_fetched_without_a_checkpoint_only(tiny_config, checkpoint):
    """A trained model needs no file of the weights that its training started from."""
    missing = dict(type='Pretrained', checkpoint='/nowhere/weights.pth')
    options = {'model.spotlight.backbone.init_cfg': missing}
    init_model(tiny_config('tiny_amr'), checkpoint, cfg_options=options)
    with pytest.raises(FileNotFoundError, match='nowhere'):
        init_model(tiny_config('tiny_amr'), cfg_options=options)


def test_a_wrong_checkpoint_is_one_line(tiny_config, checkpoint, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'^no checkpoint [^\n]*$'):
        init_model(tiny_config('tiny_amr'), str(tmp_path / 'nowhere.pth'))
    (tmp_path / 'broken.pth').write_bytes(b'no checkpoint')
    with pytest.raises(InputError, match=r'^[^\n]*broken.pth: no checkpoint that can be read safely[^\n]*$'):
        init_model(tiny_config('tiny_amr'), str(tmp_path / 'broken.pth'))
    with pytest.raises(InputError, match=r'^[^\n]*weights.pth[^\n]*$'):
        init_model(tiny_config('tiny_amr'), checkpoint, cfg_options={'model.spotlight.head.num_classes': 5})
    state = torch.load(checkpoint, weights_only=True)['state_dict']
    del state[next(iter(state))]
    torch.save(state, tmp_path / 'less.pth')
    with pytest.raises(InputError, match=r'^[^\n]*less.pth does not fit AMRClassifier: 1 weights are missing[^\n]*$'):
        init_model(tiny_config('tiny_amr'), str(tmp_path / 'less.pth'))


class Bomb:
    def __reduce__(self):
        return print, ('code of the checkpoint was run',)


def test_a_checkpoint_cannot_run_code(tiny_config, tmp_path, capsys):
    torch.save(dict(state_dict={}, meta=Bomb()), tmp_path / 'bomb.pth')
    with pytest.raises(InputError, match='no checkpoint that can be read safely'):
        init_model(tiny_config('tiny_amr'), str(tmp_path / 'bomb.pth'))
    assert 'was run' not in capsys.readouterr().out


@pytest.mark.parametrize('climb', [None, dict(steps=2, step_size=0.5)])
def test_make_cams_equals_the_cam_stage(tiny_config, checkpoint, climb):
    cfg = tiny_config('tiny_amr', 'stage')
    cfg.test_cfg.climb = climb
    model = init_model(cfg, checkpoint)
    cfg.load_from = checkpoint
    runner = Runner.from_cfg(cfg)
    runner.test()
    items = [runner.test_dataloader.dataset.get_data_info(index) for index in range(4)]
    cams = make_cams(model, [item['img_path'] for item in items], [item['gt_label'] for item in items])
    assert all(parameter.requires_grad for parameter in model.parameters())
    for item, cam in zip(items, cams):
        stored = read_cam(f'{cfg.work_dir}/cams/{item["img_id"]}.npz')
        assert cam.size == stored.size and cam.classes.tolist() == stored.classes.tolist() == sorted(item['gt_label'])
        for branch, maps in cam.maps.items():
            assert np.abs(maps - stored.maps[branch]).max() < 1e-3


def test_images_may_be_files_or_arrays_of_either_order(model, tmp_path):
    rgb = photo()
    Image.fromarray(rgb).save(tmp_path / 'photo.png')
    expected = make_cams(model, tmp_path / 'photo.png', [[0, 2]])[0].maps['spotlight']
    for image, order in ((rgb, 'rgb'), (rgb[..., ::-1], 'bgr')):
        assert np.array_equal(make_cams(model, [image], [[0, 2]], channel_order=order)[0].maps['spotlight'], expected)
    assert not np.array_equal(make_cams(model, rgb, [[0, 2]])[0].maps['spotlight'], expected)
    grey = make_cams(model, rgb[..., 0], [[0]])[0]
    assert grey.size == (40, 56)


def test_scales_and_flip_come_from_the_config_unless_given(model):
    assert model.cfg.test_cfg.scales == (1.0, 0.5)
    default, same, other, unflipped = (
        make_cams(model, photo(), [[1]], **options)[0].maps['spotlight']
        for options in ({}, dict(scales=(1.0, 0.5), flip=True), dict(scales=(1.0,)), dict(flip=False))
    )
    assert np.array_equal(default, same)
    assert not np.array_equal(default, other) and not np.array_equal(default, unflipped)


def test_labels_by_name_number_or_prediction(model):
    named, numbered = make_cams(model, [photo(), photo()], [['cross', 'disc'], [2, 0]])
    assert named.classes.tolist() == numbered.classes.tolist() == [0, 2]
    inputs = torch.from_numpy(photo().transpose(2, 0, 1).copy())
    with torch.no_grad():
        scores = model.predict(model.data_preprocessor({'inputs': [inputs]})['inputs'])[0].pred_score
    for threshold in (0.0, 0.5, 1.0, float(scores.median())):
        predicted = make_cams(model, photo(), score_threshold=threshold)[0].classes
        assert predicted.tolist() == (scores > threshold).nonzero()[:, 0].tolist()
    assert make_cams(model, photo(), score_threshold=1.0)[0].maps['spotlight'].shape == (0, 10, 14)


@pytest.mark.parametrize(
    ('images', 'labels', 'message'),
    [
        (photo().astype(np.float32), [[0]], 'uint8'),
        (photo()[..., :2], [[0]], r'\(40, 56, 2\)'),
        (photo(), [['cat']], "no class 'cat': the classes are disc, square, cross"),
        (photo(), [[3]], 'no class 3'),
        ([photo(), photo()], [[0]], 'labels of 1 images'),
    ],
)
def test_wrong_input_is_refused(model, images, labels, message):
    with pytest.raises(ValueError, match=message):
        make_cams(model, images, labels)
    with pytest.raises(ValueError, match='channel_order'):
        make_cams(model, photo(), channel_order='gbr')


def test_modes_are_restored_after_an_exception(model, monkeypatch):
    model.train()
    modes = [module.training for module in model.modules()]
    assert any(modes) and not all(modes)  # norm_eval keeps the norm layers in evaluation mode
    make_cams(model, photo(), [[0]])
    assert [module.training for module in model.modules()] == modes

    def fail(inputs):
        assert not any(module.training for module in model.modules())
        raise RuntimeError('in the middle')

    monkeypatch.setattr(model, 'class_maps', fail)
    with pytest.raises(RuntimeError, match='in the middle'):
        make_cams(model, photo(), [[0]])
    assert [module.training for module in model.modules()] == modes


def test_show_cams(model, tmp_path):
    cams = make_cams(model, [photo(), photo((20, 30))], [[0], [1, 2]])
    picture = show_cams(model, [photo(), photo((20, 30))], cams, str(tmp_path / 'cams.png'), xi=0.3)
    assert np.array_equal(np.asarray(Image.open(tmp_path / 'cams.png')), picture)
    for colour in ((128, 0, 0), (0, 128, 0), (128, 128, 0)):
        assert (picture == colour).all(2).any()
