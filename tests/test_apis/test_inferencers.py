import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

from mmamr.apis import CAMInferencer, SegInferencer, init_model, make_cams
from mmamr.apis.inferencers import choose_device
from mmamr.engine import apply_test_time, build_test_runner
from mmamr.fileio import read_cam
from mmamr.utils import InputError


@pytest.fixture(scope='module')
def segment(trained):
    return SegInferencer(trained.segmentation, device='cpu')


@pytest.fixture(scope='module')
def tag(trained):
    return CAMInferencer(trained.classifier, device='cpu')


def masks(results):
    return [one['sem_seg'] for one in results['predictions']]


def test_the_checkpoint_alone_or_with_its_config(trained, segment):
    config = trained.segmentation.replace('last.pth', 'tiny_segmentation.py')
    photo = f'{trained.photos}/img_00.jpg'
    expected = masks(segment(photo))[0]
    assert expected.shape == (48, 64) and len(np.unique(expected)) > 1
    model = init_model(None, trained.segmentation)
    for one in (
        SegInferencer(config, trained.segmentation),
        SegInferencer(Config.fromfile(config), trained.segmentation),
        SegInferencer(weights=trained.segmentation),
        SegInferencer(model),
    ):
        assert np.array_equal(masks(one(photo))[0], expected)
    assert segment.classes.names == ('background', 'disc', 'square', 'cross')


def test_every_form_of_a_photo_gives_the_same(trained, segment):
    rgb = np.asarray(Image.open(f'{trained.photos}/img_00.jpg'))
    tensor = torch.from_numpy(rgb.copy()).permute(2, 0, 1)
    forms = [f'{trained.photos}/img_00.jpg', rgb[..., ::-1], Image.fromarray(rgb), tensor, tensor / 255]
    found = masks(segment(forms, batch_size=3))
    assert all(np.array_equal(one, found[0]) for one in found)
    assert np.array_equal(masks(segment(rgb, channel_order='rgb'))[0], found[0])
    assert len(masks(segment(trained.photos))) == 12


@pytest.mark.parametrize('test_time', [False, True])
def test_masks_are_those_of_the_test_loop(tiny_config, trained, tmp_path, test_time):
    """Also where scales, mirror images and a CRF are merged."""
    cfg = tiny_config('tiny_segmentation')
    options = dict(ms=test_time, flip=test_time, crf=test_time, scales=(0.75, 1.25), crf_params=dict(iterations=2))
    cfg.merge_from_dict(dict(test_time=options, load_from=trained.segmentation))
    cfg.test_evaluator.output_dir = str(tmp_path / 'masks')
    inferencer = SegInferencer(cfg, trained.segmentation, test_time=test_time)
    apply_test_time(cfg)
    build_test_runner(cfg).test()
    for number in range(8, 12):
        own = masks(inferencer(f'{trained.photos}/img_{number:02d}.jpg'))[0]
        stored = np.asarray(Image.open(tmp_path / 'masks' / f'img_{number:02d}.png'))
        assert (own != stored).mean() < 1e-3 and len(np.unique(stored)) > 1


def test_neither_batch_nor_order_matters(trained):
    inferencer = SegInferencer(trained.segmentation, test_time=True)
    photos = [f'{trained.photos}/img_{number:02d}.jpg' for number in (0, 4, 8, 1, 5)]
    single = masks(inferencer(photos))
    assert all(
        (one != other).mean() < 1e-3 for one, other in zip(masks(inferencer(photos[::-1], batch_size=3))[::-1], single)
    )


def test_large_photos_are_decided_at_their_own_size(segment):
    probabilities = torch.rand(4, 6, 8, generator=torch.Generator().manual_seed(0))
    large = torch.nn.functional.interpolate(probabilities[None], (61, 83), mode='bilinear')[0]
    assert torch.equal(segment.merger.decide(probabilities, (61, 83))[0], large.argmax(0))


def test_results_are_written_shown_and_returned(trained, segment, tmp_path, capsys, monkeypatch):
    shown = []
    monkeypatch.setattr(segment.visualizer, 'show', lambda picture, **options: shown.append(options['win_name']))
    photos = [f'{trained.photos}/img_00.jpg', np.zeros((20, 30, 3), np.uint8)]
    results = segment(photos, out_dir=str(tmp_path), show=True, print_result=True, return_vis=True)
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob('*.png'))
    assert len(written) == 4 and written[-1] == 'vis/img_00.png'
    stored = np.asarray(Image.open(tmp_path / 'preds' / 'img_00.png'))
    assert np.array_equal(stored, masks(results)[0])
    assert len(shown) == 2 and len(results['visualization']) == 2 and '%' in capsys.readouterr().out
    segment(photos, out_dir=str(tmp_path / 'none'), no_save_vis=True, no_save_pred=True)
    assert not (tmp_path / 'none').exists()
    samples = segment(photos, return_datasamples=True)['predictions']
    assert samples[0].pred_sem_seg.data.shape == (1, 48, 64)
    with pytest.raises(ValueError, match='unknown argument'):
        segment(photos, colour='blue')
    with pytest.raises(ValueError, match='batch_size'):
        segment(photos, batch_size=0)


def test_cams_equal_make_cams(trained, tag, tmp_path):
    photos = [f'{trained.photos}/img_{number:02d}.jpg' for number in (0, 4, 1)]
    model = init_model(None, trained.classifier)
    labels = [['disc', 'cross'], [1], ['square']]
    results = tag(photos, labels=labels, batch_size=2, out_dir=str(tmp_path))
    for one, other, photo in zip(results['predictions'], make_cams(model, photos, labels), photos):
        assert one['cam'].classes.tolist() == other.classes.tolist() and one['cam'].size == other.size
        for branch, maps in one['cam'].maps.items():
            assert np.abs(maps - other.maps[branch]).max() < 1e-4
        assert read_cam(str(tmp_path / 'preds' / photo[-10:].replace('.jpg', '.npz'))).size == other.size
    assert results['predictions'][0]['pred_classes'] == ['disc', 'cross']
    with pytest.raises(ValueError, match='labels of 1 photos'):
        tag(photos, labels=[['disc']])


def test_tags_are_the_classes_above_the_threshold(trained):
    for threshold in (0.0, 0.5, 1.0):
        inferencer = CAMInferencer(trained.classifier, score_threshold=threshold)
        for one in inferencer(trained.photos)['predictions']:
            assert one['pred_classes'] == [name for name, score in one['scores'].items() if score > threshold]
            assert len(one['cam'].classes) == len(one['pred_classes'])


def test_a_model_of_another_kind_is_refused(trained):
    with pytest.raises(InputError, match='which SegInferencer cannot use'):
        SegInferencer(trained.classifier)
    with pytest.raises(InputError, match='which CAMInferencer cannot use'):
        CAMInferencer(trained.segmentation)
    with pytest.raises(InputError, match='name a checkpoint'):
        SegInferencer()
    with pytest.raises(InputError, match='name one of them'):
        SegInferencer(trained.segmentation, trained.segmentation)
    with pytest.raises(InputError, match='device warp'):
        choose_device('warp')


def test_a_checkpoint_whose_config_would_run_something_is_refused(trained, tmp_path):
    content = torch.load(trained.segmentation, weights_only=True)
    text = content['meta']['cfg']
    for name, changed in (
        ('code', f'import os\n{text}'),
        ('type', text.replace("type='EncoderDecoder'", "type='os.system'")),
        ('none', ''),
    ):
        content['meta']['cfg'] = changed
        torch.save(content, tmp_path / f'{name}.pth')
        with pytest.raises(InputError, match=r'^[^\n]*--config$'):
            SegInferencer(str(tmp_path / f'{name}.pth'))


def test_mmseg_s_own_pipelines_work(trained):
    cfg = Config.fromfile(trained.segmentation.replace('last.pth', 'tiny_segmentation.py'))
    expected = masks(SegInferencer(cfg, trained.segmentation)(trained.photos))
    cfg.test_dataloader.dataset.pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations'),
        dict(type='PackSegInputs'),
    ]
    assert all(map(np.array_equal, masks(SegInferencer(cfg, trained.segmentation)(trained.photos)), expected))


def test_mmseg_s_inferencers_take_our_configs(trained, segment):
    from mmseg.apis import MMSegInferencer, inference_model
    from mmseg.apis import init_model as init_segmentor

    config = trained.segmentation.replace('last.pth', 'tiny_segmentation.py')
    photo = f'{trained.photos}/img_00.jpg'
    expected = masks(segment(photo))[0]
    array = np.ascontiguousarray(np.asarray(Image.open(photo))[..., ::-1])
    inferencer = MMSegInferencer(config, trained.segmentation, device='cpu')
    model = init_segmentor(config, trained.segmentation, device='cpu')
    for one in (photo, array):
        assert np.array_equal(inferencer(one)['predictions'], expected)
        assert np.array_equal(inference_model(model, one).pred_sem_seg.data[0], expected)
    assert len(inference_model(model, [photo, photo])) == 2


def test_make_cams_says_so_where_it_finds_no_class(trained, recwarn):
    model = init_model(None, trained.classifier)
    with pytest.warns(UserWarning, match=r'^img_00.jpg: no class scores more than 1, .* the best is \w+ with \d\.\d\d'):
        cams = make_cams(model, [f'{trained.photos}/img_00.jpg'], score_threshold=1.0)
    assert cams[0].classes.tolist() == []
    assert len(make_cams(model, trained.photos, labels=[[0]] * 12)) == 12


def test_init_model_is_quiet(tiny_config, trained, capfd):
    init_model(tiny_config('tiny_amr'))
    init_model(None, trained.segmentation)
    init_model(None, trained.classifier)
    captured = capfd.readouterr()
    assert captured.out == '' and captured.err == ''


def test_a_runner_s_scope_is_left_alone(tiny_config, trained, segment):
    Runner.from_cfg(tiny_config('tiny_amr'))
    assert masks(segment(f'{trained.photos}/img_01.jpg'))[0].shape == (64, 48)
