"""The loops that make CAMs, affinity labels and pseudo labels, from start to metrics, on a dozen small photographs."""

import json
import shutil

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner
from PIL import Image
from torch.nn.functional import interpolate

from mmamr.cams import (
    Climbing,
    FeatureMoments,
    climbed_maps,
    discriminant,
    foreground_of,
    mix,
    multi_scale_maps,
    normalize_maps,
    otsu_threshold,
    score_histogram,
    seed,
    spread_cam,
    upsample,
)
from mmamr.fileio import ChangedSettingsError, read_cam, write_cam
from mmamr.refine import affinity_label_affinitynet, crf_label
from mmamr.registry import MODELS
from mmamr.structures import CAM
from mmamr.utils import InputError, write_png

IDS = [f'img_{i:02d}' for i in range(12)]


@pytest.fixture
def test(tiny_config, tmp_path, monkeypatch):
    """Run the test loop of a tiny config with weights from a seed: gives the runner and the metrics."""
    monkeypatch.setenv('MMAMR_TINY_CAMS', str(tmp_path / 'cams'))

    def run(name, work_dir='work', options=None, weights=0):
        cfg = tiny_config(name, work_dir, options)
        torch.manual_seed(weights)
        model = MODELS.build(cfg.model)
        path = tmp_path / f'weights_{weights}.pth'
        torch.save(dict(state_dict=model.state_dict()), path)
        cfg.load_from = str(path)
        runner = Runner.from_cfg(cfg)
        return runner, runner.test()

    return run


@pytest.fixture
def cams(tiny_voc, tmp_path):
    """CAMs of all photographs in ``cams``: the masks, smoothed, and noise."""
    folder = tmp_path / 'cams'
    for index, img_id in enumerate(IDS):
        rng = np.random.default_rng(index)
        mask = np.asarray(Image.open(tiny_voc / 'SegmentationClass' / f'{img_id}.png'))
        classes = sorted({int(value) - 1 for value in np.unique(mask)} - {-1, 254})
        strided = mask[::4, ::4]
        maps = np.stack([0.8 * (strided == label + 1) + 0.2 * rng.random(strided.shape) for label in classes])
        write_cam(str(folder / f'{img_id}.npz'), CAM(dict(spotlight=maps, compensation=maps**2), classes, mask.shape))
    return folder


def times(folder, suffix):
    """Files and when they were written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob(f'*{suffix}')}


def difference(one, other):
    """Largest difference of the maps of two folders of CAMs, which must have the same files."""
    files = sorted(path.name for path in one.glob('*.npz'))
    assert files == sorted(path.name for path in other.glob('*.npz'))
    largest = 0.0
    for name in files:
        a, b = read_cam(one / name), read_cam(other / name)
        assert a.classes.tolist() == b.classes.tolist() and a.size == b.size and a.maps.keys() == b.maps.keys()
        for branch in a.maps:
            if a.maps[branch].size:
                gap = np.abs(a.maps[branch].astype(np.float64) - b.maps[branch])
                largest = max(largest, float(gap.max()))
    return largest


class TestCAMLoop:
    def test_files_and_metrics(self, test, tiny_voc, tmp_path):
        runner, metrics = test('tiny_amr')
        folder = tmp_path / 'work' / 'cams'
        assert sorted(times(folder, '.npz')) == [f'{img_id}.npz' for img_id in IDS]
        model = runner.model.eval()
        for index, img_id in enumerate(IDS):
            cam = read_cam(folder / f'{img_id}.npz')
            with Image.open(tiny_voc / 'JPEGImages' / f'{img_id}.jpg') as image:
                assert cam.size == (image.height, image.width)
            expected = sorted({index % 3, *([(index + 1) % 3] if index % 4 == 0 else [])})
            assert cam.classes.tolist() == expected
            assert list(cam.maps) == ['compensation', 'spotlight']
        # the maps of the last image, step by step
        item = runner.test_dataloader.dataset[11]
        data = model.data_preprocessor(pseudo_collate([item]), False)
        with torch.no_grad():
            sums = multi_scale_maps(model.class_maps, data['inputs'], cam.maps['spotlight'].shape[1:], (1.0, 0.5), True)
        for branch, maps in sums.items():
            maps = normalize_maps(maps[0, cam.classes]).numpy()
            np.testing.assert_allclose(cam.maps[branch].astype(np.float32), maps, atol=1e-3)
            assert maps.max() == 1
        assert {
            f'CAM/{row}.{what}'
            for row in ('spotlight', 'compensation', 'weighted')
            for what in ('mIoU', 'best_mIoU', 'best_threshold')
        } == set(metrics)
        assert 0 < metrics['CAM/weighted.mIoU'] <= metrics['CAM/weighted.best_mIoU'] < 100

    def test_skips_the_valid_and_remakes_the_broken(self, test, tiny_voc, tmp_path):
        folder = tmp_path / 'work' / 'cams'
        _, metrics = test('tiny_amr')
        made, contents = times(folder, '.npz'), {path.name: path.read_bytes() for path in folder.iterdir()}
        # cut short, missing, empty, of another size, of other labels, left by a kill
        (folder / 'img_01.npz').write_bytes(contents['img_01.npz'][:-9])
        (folder / 'img_02.npz').unlink()
        (folder / 'img_03.npz').write_bytes(b'')
        (folder / 'img_05.npz').write_bytes(contents['img_06.npz'])
        other = read_cam(folder / 'img_07.npz')
        write_cam(str(folder / 'img_07.npz'), CAM(other.maps, (other.classes + 1) % 3, other.size))
        (folder / '.tmp-abcimg_08.npz').write_bytes(b'half')
        _, again = test('tiny_amr')
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == contents
        remade = {name for name, time in times(folder, '.npz').items() if time != made[name]}
        assert remade == {f'img_{i:02d}.npz' for i in (1, 2, 3, 5, 7)}
        assert again == metrics

    def test_nothing_is_run_when_all_is_there(self, test, monkeypatch):
        _, metrics = test('tiny_amr')
        monkeypatch.setattr('mmamr.models.AMRClassifier.class_maps', lambda *args: pytest.fail('a CAM was made again'))
        assert test('tiny_amr')[1] == metrics

    @pytest.mark.parametrize(
        'change',
        [
            dict(weights=1),
            dict(options={'test_cfg.scales': (1.0,)}),
            dict(options={'test_cfg.flip': False}),
            dict(options={'test_cfg.precision': 'bfloat16'}),
        ],
        ids=['weights', 'scales', 'flip', 'precision'],
    )
    def test_changed_settings_remake_everything_if_asked(self, test, tmp_path, change):
        folder = tmp_path / 'work' / 'cams'
        test('tiny_amr')
        made = times(folder, '.npz')
        with pytest.raises(
            ChangedSettingsError, match=r'work/cams holds 12 files that were made with other .*: pass --redo'
        ):
            test('tiny_amr', **change)
        assert times(folder, '.npz') == made
        redo = {**change, 'options': {**change.get('options', {}), 'test_cfg.redo': True}}
        test('tiny_amr', **redo)
        again = times(folder, '.npz')
        assert made.keys() == again.keys() and all(again[name] != made[name] for name in made)
        # what was made is not made again, with or without redo
        test('tiny_amr', **redo)
        test('tiny_amr', **change)
        assert times(folder, '.npz') == again
        test('tiny_amr', 'fresh', **change)
        assert difference(folder, tmp_path / 'fresh' / 'cams') == 0

    def test_batch_size_and_order_do_not_matter(self, test, tiny_voc, tmp_path):
        for path in (tiny_voc / 'ImageSets' / 'Segmentation').iterdir():
            if path.stem == 'trainval':
                (path.parent / 'reversed.txt').write_text('\n'.join(reversed(path.read_text().split())) + '\n')
        metrics = [test('tiny_amr', 'four')[1]]
        metrics.append(test('tiny_amr', 'one', {'test_dataloader.batch_size': 1})[1])
        metrics.append(
            test(
                'tiny_amr',
                'other',
                {
                    'test_dataloader.batch_size': 3,
                    'test_dataloader.dataset.split': 'ImageSets/Segmentation/reversed.txt',
                },
            )[1]
        )
        for name in ('one', 'other'):
            assert difference(tmp_path / 'four' / 'cams', tmp_path / name / 'cams') == 0
        for other in metrics[1:]:
            assert other == metrics[0]

    def test_batch_equals_its_samples_to_the_last_byte(self, test):
        runner, _ = test('tiny_amr')
        loop, dataset = runner.test_loop, runner.test_dataloader.dataset
        indices = [0, 4, 8]  # of one size
        together = loop.make(pseudo_collate([dataset[i] for i in indices]))
        for i in indices:
            for img_id, cam in loop.make(pseudo_collate([dataset[i]])).items():
                for branch, maps in cam.maps.items():
                    np.testing.assert_array_equal(together[img_id].maps[branch], maps)

    def test_without_masks(self, test, tmp_path):
        _, metrics = test('tiny_amr', options={'test_dataloader.dataset.mask_dir': None})
        assert metrics == {} and len(times(tmp_path / 'work' / 'cams', '.npz')) == 12

    def test_without_metrics(self, test, tmp_path):
        _, metrics = test('tiny_amr', options={'test_evaluator': []})
        assert metrics == {} and len(times(tmp_path / 'work' / 'cams', '.npz')) == 12

    def test_images_without_labels(self, test, tiny_voc, tmp_path):
        (tiny_voc / 'Annotations' / 'img_04.xml').write_text('<annotation/>')
        _, metrics = test('tiny_amr')
        cam = read_cam(tmp_path / 'work' / 'cams' / 'img_04.npz')
        assert {maps.shape for maps in cam.maps.values()} == {(0, 12, 16)} and cam.classes.tolist() == []
        assert metrics['CAM/weighted.mIoU'] > 0

    def test_out_dir(self, test, tmp_path):
        test('tiny_amr', options={'test_cfg.out_dir': str(tmp_path / 'elsewhere')})
        assert len(times(tmp_path / 'elsewhere', '.npz')) == 12 and not (tmp_path / 'work' / 'cams').exists()

    @pytest.mark.parametrize(
        'options, message',
        [
            ({'test_cfg.precision': 'int8'}, 'precision must be one of'),
            ({'test_cfg.scales': ()}, 'scales must be some numbers in a list'),
            ({'test_cfg.scales': (1.0, -0.5)}, 'each of scales must be in'),
            ({'test_dataloader.batch_sampler': None}, 'needs test_dataloader.batch_sampler=dict'),
        ],
    )
    def test_wrong_options(self, tiny_config, options, message):
        with pytest.raises(ValueError, match=message):
            Runner.from_cfg(tiny_config('tiny_amr', options=options)).test_loop  # noqa: B018

    def test_the_model_is_left_in_evaluation_mode_without_gradients(self, test):
        runner, _ = test('tiny_amr')
        assert not runner.model.training
        assert all(parameter.grad is None for parameter in runner.model.parameters())


CLIMB = {'test_cfg.climb': dict(steps=3, max_batch=3)}


class TestClimbing:
    def test_files_and_state(self, test, tmp_path):
        runner, metrics = test('tiny_amr', options=CLIMB)
        test('tiny_amr', 'plain')
        climbed, plain = tmp_path / 'work' / 'cams', tmp_path / 'plain' / 'cams'
        assert 0.01 < difference(climbed, plain) < 1 and metrics['CAM/weighted.mIoU'] > 0
        parameters = list(runner.model.parameters())
        assert not runner.model.training and not any(parameter.is_inference() for parameter in parameters)
        assert all(parameter.grad is None for parameter in parameters)
        fresh = MODELS.build(runner.cfg.model)
        assert [parameter.requires_grad for parameter in parameters] == [
            parameter.requires_grad for parameter in fresh.parameters()
        ]

    def test_maps_of_each_branch(self, test, tmp_path):
        """The branches climb apart, each over its own network."""
        runner, _ = test('tiny_amr', options=CLIMB)
        model, cam = runner.model.eval(), read_cam(tmp_path / 'work' / 'cams' / 'img_00.npz')
        images = model.data_preprocessor(pseudo_collate([runner.test_dataloader.dataset[0]]), False)['inputs']
        pairs = [(0, label) for label in cam.classes.tolist()]
        for branch in ('spotlight', 'compensation'):
            module = getattr(model, branch)
            maps = climbed_maps(
                module, module.head.positive_weights, images, pairs, Climbing(steps=3), (12, 16), (1.0, 0.5)
            )
            np.testing.assert_allclose(cam.maps[branch], normalize_maps(maps), atol=2e-3)

    def test_batch_size_and_chunks_do_not_matter(self, test, tmp_path):
        test('tiny_amr', 'four', CLIMB)
        test('tiny_amr', 'one', {**CLIMB, 'test_dataloader.batch_size': 1, 'test_cfg.climb.max_batch': 1})
        assert difference(tmp_path / 'four' / 'cams', tmp_path / 'one' / 'cams') <= 2**-9

    def test_skips_the_valid_and_remakes_the_broken(self, test, tmp_path):
        folder = tmp_path / 'work' / 'cams'
        test('tiny_amr', options=CLIMB)
        made, names = times(folder, '.npz'), {path.name for path in folder.iterdir()}
        (folder / 'img_02.npz').unlink()
        (folder / 'img_03.npz').write_bytes(b'')
        # more at once is no other setting
        test('tiny_amr', options={'test_cfg.climb': dict(steps=3, max_batch=8)})
        assert {path.name for path in folder.iterdir()} == names
        read_cam(folder / 'img_03.npz')
        assert {name for name, time in times(folder, '.npz').items() if time != made[name]} == {
            'img_02.npz',
            'img_03.npz',
        }

    @pytest.mark.parametrize('change', [{'test_cfg.climb': None}, {'test_cfg.climb.steps': 2}])
    def test_changed_settings_remake_everything_if_asked(self, test, tmp_path, change):
        folder = tmp_path / 'work' / 'cams'
        test('tiny_amr', options=CLIMB)
        made = times(folder, '.npz')
        with pytest.raises(ChangedSettingsError, match='other climb: pass --redo'):
            test('tiny_amr', options={**CLIMB, **change})
        test('tiny_amr', options={**CLIMB, **change, 'test_cfg.redo': True})
        again = times(folder, '.npz')
        assert made.keys() == again.keys() and all(again[name] != made[name] for name in made)

    def test_settings_without_climbing_are_what_they_were(self, test, tmp_path):
        """CAMs that were made before there was climbing stay."""
        test('tiny_amr')
        settings = tmp_path / 'work' / 'cams' / 'settings.json'
        old = json.loads(settings.read_text())
        assert old.pop('climb') is None
        settings.write_text(json.dumps(old))
        made = times(settings.parent, '.npz')
        test('tiny_amr')
        assert times(settings.parent, '.npz') == made

    def test_images_without_labels(self, test, tiny_voc, tmp_path):
        (tiny_voc / 'Annotations' / 'img_04.xml').write_text('<annotation/>')
        test('tiny_amr', options={**CLIMB, 'test_dataloader.batch_size': 1})
        assert read_cam(tmp_path / 'work' / 'cams' / 'img_04.npz').classes.size == 0

    def test_a_detached_stage_lets_the_gradient_pass(self, test, tmp_path):
        """The released compensation branch (row T3) climbs too."""
        detached = {'model.compensation.detach_after': 'layer1'}
        test('tiny_amr', 'detached', {**CLIMB, **detached})
        test('tiny_amr', 'usual', CLIMB)
        assert difference(tmp_path / 'detached' / 'cams', tmp_path / 'usual' / 'cams') == 0

    @pytest.mark.parametrize(
        'options, message',
        [
            ({'test_cfg.precision': 'float16'}, 'gradients of climbing are too small for float16'),
            ({'test_cfg.climb.steps': 0}, 'steps of climbing must be a whole number'),
        ],
    )
    def test_wrong_options(self, tiny_config, options, message):
        with pytest.raises(ValueError, match=message):
            Runner.from_cfg(tiny_config('tiny_amr', options={**CLIMB, **options})).test_loop  # noqa: B018


class TestAffinityLabelLoop:
    def test_files_and_metrics(self, test, cams, tiny_voc, tmp_path):
        _, metrics = test('tiny_affinity-label')
        folder = tmp_path / 'work' / 'affinity_labels'
        assert sorted(times(folder, '.png')) == [f'{img_id}.png' for img_id in IDS]
        for index, img_id in enumerate(IDS):
            with Image.open(folder / f'{img_id}.png') as label:
                assert label.mode == 'P'
                label = np.asarray(label)
            mask = np.asarray(Image.open(tiny_voc / 'SegmentationClass' / f'{img_id}.png'))
            assert label.shape == mask.shape
            assert set(np.unique(label)) <= {0, 255, index % 3 + 1, (index + 1) % 3 + 1}
        assert metrics['label/mIoU'] > 50 and 50 < metrics['label/coverage'] <= 100

    def test_skips_the_valid_and_remakes_the_broken(self, test, cams, tmp_path):
        folder = tmp_path / 'work' / 'affinity_labels'
        _, metrics = test('tiny_affinity-label')
        made, contents = times(folder, '.png'), {path.name: path.read_bytes() for path in folder.iterdir()}
        (folder / 'img_01.png').write_bytes(contents['img_01.png'][:-30])
        (folder / 'img_02.png').unlink()
        write_png(str(folder / 'img_03.png'), np.zeros((3, 4)))
        write_png(str(folder / 'img_05.png'), np.full((48, 64) if 5 % 4 == 0 else (64, 48), 77))
        (folder / '.tmp-abcimg_08.png').write_bytes(b'half')
        _, again = test('tiny_affinity-label')
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == contents
        assert {name for name, time in times(folder, '.png').items() if time != made[name]} == {
            f'img_{i:02d}.png' for i in (1, 2, 3, 5)
        }
        assert again == metrics

    @pytest.mark.parametrize('change', ['threshold', 'cams'])
    def test_changed_settings_remake_everything_if_asked(self, test, cams, tmp_path, change):
        folder = tmp_path / 'work' / 'affinity_labels'
        test('tiny_affinity-label')
        made = times(folder, '.png')
        if change == 'cams':
            cam = read_cam(cams / 'img_00.npz')
            maps = {name: 1 - value for name, value in cam.maps.items()}
            write_cam(str(cams / 'img_00.npz'), CAM(maps, cam.classes, cam.size))
            options = {}
        else:
            options = {'test_cfg.fg_threshold': 0.7}
        with pytest.raises(ChangedSettingsError, match=r'other (cams|fg_threshold): pass --redo'):
            test('tiny_affinity-label', options=options)
        assert times(folder, '.png') == made
        test('tiny_affinity-label', options={**options, 'test_cfg.redo': True})
        assert all(time != made[name] for name, time in times(folder, '.png').items())

    def test_cam_of_another_image(self, test, cams):
        (cams / 'img_00.npz').write_bytes((cams / 'img_01.npz').read_bytes())
        with pytest.raises(InputError, match='make the CAMs of this data set again'):
            test('tiny_affinity-label')

    def test_processes_do_not_matter(self, test, cams, tmp_path):
        _, metrics = test('tiny_affinity-label', 'alone')
        _, shared = test('tiny_affinity-label', 'shared', {'test_dataloader.num_workers': 3})
        assert metrics == shared
        for path in (tmp_path / 'alone' / 'affinity_labels').iterdir():
            assert path.read_bytes() == (tmp_path / 'shared' / 'affinity_labels' / path.name).read_bytes()

    def test_affinitynet(self, test, cams, tmp_path):
        irnet = dict(fg_threshold=None, bg_threshold=None)
        options = dict(method='affinitynet', low_alpha=4, high_alpha=24, **irnet)
        _, metrics = test('tiny_affinity-label', options={f'test_cfg.{key}': value for key, value in options.items()})
        image = np.asarray(Image.open(tmp_path / 'voc' / 'JPEGImages' / 'img_01.jpg'))
        cam = read_cam(cams / 'img_01.npz')
        expected = affinity_label_affinitynet(image, upsample(mix(cam), cam.size), cam.classes, iterations=2)
        label = np.asarray(Image.open(tmp_path / 'work' / 'affinity_labels' / 'img_01.png'))
        np.testing.assert_array_equal(label, expected)
        assert metrics['label/coverage'] < 100

    @pytest.mark.parametrize(
        'options, message',
        [
            ({'test_cfg.method': 'no'}, 'method must be one of'),
            ({'test_cfg.low_alpha': 4}, "low_alpha is no option of the method 'irnet'"),
            ({'test_cfg.cam_dir': None}, 'AffinityLabelLoop reads CAMs, but none are named: set test_cfg.cam_dir'),
        ],
    )
    def test_wrong_options(self, tiny_config, cams, options, message):
        with pytest.raises(ValueError, match=message):
            Runner.from_cfg(tiny_config('tiny_affinity-label', options=options)).test_loop  # noqa: B018


class TestWalkLoop:
    def test_files_and_metrics(self, test, cams, tmp_path):
        runner, metrics = test('tiny_irnet')
        walks = tmp_path / 'work' / 'walks'
        assert sorted(times(walks, '.npz')) == [f'{img_id}.npz' for img_id in IDS]
        item = runner.test_dataloader.dataset[11]
        data = runner.model.data_preprocessor(pseudo_collate([item]), False)
        cam = read_cam(cams / 'img_11.npz')
        with torch.no_grad():
            affinity = runner.model.affinity(data['inputs'])[0]
            end = runner.model.walk(torch.from_numpy(mix(cam)), affinity).clamp(min=0)
        walk = read_cam(walks / 'img_11.npz')
        np.testing.assert_allclose(walk.maps['walk'].astype(np.float32), (end / end.amax()).numpy(), atol=1e-3)
        assert metrics['CAM/walk.best_mIoU'] > 30

    def test_remakes_the_broken(self, test, cams, tmp_path):
        walks = tmp_path / 'work' / 'walks'
        _, metrics = test('tiny_irnet')
        contents, made = {path: path.read_bytes() for path in walks.iterdir()}, times(walks, '.npz')
        (walks / 'img_01.npz').write_bytes(b'')
        _, again = test('tiny_irnet')
        assert {path: path.read_bytes() for path in walks.iterdir()} == contents
        assert {name for name, time in times(walks, '.npz').items() if time != made[name]} == {'img_01.npz'}
        assert again == metrics

    def test_background_walks_too(self, test, cams, tmp_path):
        _, metrics = test('tiny_irnet', options={'test_cfg.powers': (4.0, 16.0, 8.0)})
        walk = read_cam(tmp_path / 'work' / 'walks' / 'img_00.npz')
        assert walk.powers.tolist() == [16.0, 8.0, 4.0] and walk.background.shape == (3, 12, 16)
        assert metrics['CAM/walk.best_threshold'] in (4, 8, 16)

    @pytest.mark.parametrize('options', [{'test_cfg.xi': 1.0}, {'test_cfg.cam_power': 1.5}])
    def test_changed_start_of_the_walk(self, test, cams, tmp_path, options):
        test('tiny_irnet')
        with pytest.raises(ChangedSettingsError, match='pass --redo'):
            test('tiny_irnet', options=options)
        test('tiny_irnet', options={**options, 'test_cfg.redo': True})
        test('tiny_irnet', 'fresh', options=options)
        assert difference(tmp_path / 'work' / 'walks', tmp_path / 'fresh' / 'walks') == 0

    def test_hooks_get_what_was_made(self, test, cams, monkeypatch):
        seen = {}

        def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            seen.update(outputs)

        monkeypatch.setattr('mmengine.hooks.RuntimeInfoHook.after_test_iter', after_test_iter)
        test('tiny_irnet')
        assert sorted(seen) == IDS and all(list(cam.maps) == ['walk'] for cam in seen.values())


def metrics_at(test, threshold):
    return test('tiny_pseudo-label', f'at_{threshold}', {'test_cfg.threshold': threshold})[1]


class TestPseudoLabelLoop:
    """Labels of CAMs and of walks."""

    @pytest.fixture
    def walks(self, test, cams, tmp_path, monkeypatch):
        """Walks of all photographs, with the background of three powers."""
        test('tiny_irnet', 'walk', {'test_cfg.powers': (4.0, 16.0, 8.0)})
        monkeypatch.setenv('MMAMR_TINY_CAMS', str(tmp_path / 'walk' / 'walks'))
        return tmp_path / 'walk' / 'walks'

    def test_labels_of_cams(self, test, cams, tmp_path):
        _, metrics = test('tiny_pseudo-label')
        labels = tmp_path / 'work' / 'SegmentationClassPseudo'
        assert sorted(times(labels, '.png')) == [f'{img_id}.png' for img_id in IDS]
        cam = read_cam(cams / 'img_11.npz')
        with Image.open(labels / 'img_11.png') as label:
            assert label.mode == 'P'
            np.testing.assert_array_equal(np.asarray(label), seed(upsample(mix(cam), cam.size), cam.classes, 0.3))
        # at the fixed threshold a CAM scores what its labels score
        assert metrics['label/mIoU'] == pytest.approx(metrics['CAM/weighted.mIoU'], abs=1e-6)
        assert metrics['label/coverage'] == 100

    def test_labels_of_walks(self, test, walks, tmp_path):
        _, metrics = test('tiny_pseudo-label', options={'test_cfg.threshold': 0.25})
        walk = read_cam(walks / 'img_11.npz')
        label = np.asarray(Image.open(tmp_path / 'work' / 'SegmentationClassPseudo' / 'img_11.png'))
        np.testing.assert_array_equal(label, seed(upsample(walk.maps['walk'], walk.size), walk.classes, 0.25))
        assert metrics['label/mIoU'] > 30

    def test_power_of_the_background(self, test, walks, tmp_path):
        test('tiny_pseudo-label', options={'test_cfg.power': 8.0})
        walk = read_cam(walks / 'img_00.npz')
        label = np.asarray(Image.open(tmp_path / 'work' / 'SegmentationClassPseudo' / 'img_00.png'))
        maps, background = upsample(walk.maps['walk'], walk.size), upsample(walk.background, walk.size)[1]
        np.testing.assert_array_equal(label, np.where(maps.max(0) >= background, walk.classes[maps.argmax(0)] + 1, 0))

    def test_unsure(self, test, cams):
        assert test('tiny_pseudo-label', options={'test_cfg.unsure': (0.2, 0.6)})[1]['label/coverage'] < 100

    def test_crf(self, test, cams, tiny_voc, tmp_path):
        test('tiny_pseudo-label', options={'test_cfg.crf': dict(iterations=2)})
        cam = read_cam(cams / 'img_01.npz')
        image = np.asarray(Image.open(tiny_voc / 'JPEGImages' / 'img_01.jpg'))
        expected = crf_label(image, upsample(mix(cam), cam.size), cam.classes, 0.3, iterations=2)
        label = np.asarray(Image.open(tmp_path / 'work' / 'SegmentationClassPseudo' / 'img_01.png'))
        np.testing.assert_array_equal(label, expected)
        assert (expected != seed(upsample(mix(cam), cam.size), cam.classes, 0.3)).any()

    def test_threshold_of_its_own(self, test, cams, tmp_path):
        options = {'test_cfg.threshold': 'auto'}
        _, metrics = test('tiny_pseudo-label', options=options)
        labels = tmp_path / 'work' / 'SegmentationClassPseudo'
        # objects score more than 0.6 after mixing, the rest less than 0.2
        expected = otsu_threshold(sum(score_histogram(read_cam(cams / f'{img_id}.npz')) for img_id in IDS))
        assert metrics['threshold'] == expected and 0.1 < expected < 0.8
        assert json.loads((labels / 'threshold.json').read_text())['threshold'] == expected
        assert metrics['label/mIoU'] == pytest.approx(metrics_at(test, expected)['label/mIoU'])
        with Image.open(tmp_path / 'work' / 'thresholds.png') as sheet:
            assert sheet.width > 5 * 256
        # other processes and workers, another run: the same
        made = times(labels, '.png')
        assert test('tiny_pseudo-label', options=options)[1] == metrics
        assert times(labels, '.png') == made
        (labels / 'threshold.json').unlink()
        _, again = test('tiny_pseudo-label', options={**options, 'test_dataloader.num_workers': 2})
        assert again == metrics

    def test_labels_that_a_person_drew(self, test, cams, tiny_voc, tmp_path):
        """They take the place of others, also when they have changed; the rest stays as it is."""
        _, metrics = test('tiny_pseudo-label')
        labels, drawn = tmp_path / 'work' / 'SegmentationClassPseudo', tmp_path / 'drawn'
        before = {path.name: path.read_bytes() for path in labels.glob('*.png')}
        drawn.mkdir()
        shutil.copy(tiny_voc / 'SegmentationClass' / 'img_03.png', drawn)
        options = {'test_cfg.drawn_dir': str(drawn)}
        with pytest.raises(InputError, match='made with other drawn: pass --redo'):
            test('tiny_pseudo-label', options=options)
        _, again = test('tiny_pseudo-label', options={**options, 'test_cfg.redo': True})
        found = {path.name: path.read_bytes() for path in labels.glob('*.png')}
        assert [name for name in before if before[name] != found[name]] == ['img_03.png']
        stored = np.asarray(Image.open(labels / 'img_03.png'))
        np.testing.assert_array_equal(stored, np.asarray(Image.open(tiny_voc / 'SegmentationClass' / 'img_03.png')))
        assert again['label/mIoU'] > metrics['label/mIoU']
        with pytest.raises(ValueError, match='nowhere is no folder; name that of the labels that a person drew'):
            test('tiny_pseudo-label', options={'test_cfg.drawn_dir': 'nowhere'})

    def test_doubt(self, test, cams, walks, tmp_path):
        options = {'test_cfg.threshold': 0.25}
        doubt = dict(background=0.3, objects=0.2, cam_dir=str(cams))
        test('tiny_pseudo-label', 'whole', options)
        _, metrics = test('tiny_pseudo-label', options={**options, 'test_cfg.doubt': doubt})
        folders = [tmp_path / name / 'SegmentationClassPseudo' for name in ('whole', 'work')]
        limits = json.loads((folders[1] / 'doubt.json').read_text())
        counts = np.zeros((2, 2))
        for img_id in IDS:
            whole, label = (np.asarray(Image.open(folder / f'{img_id}.png')) for folder in folders)
            both = [read_cam(folder / f'{img_id}.npz') for folder in (walks, cams)]
            scores = np.mean([upsample(mix(cam), cam.size).max(0).clip(0, 1) for cam in both], axis=0)
            limit = np.where(whole == 0, scores >= limits['background'], scores < limits['objects'])
            np.testing.assert_array_equal(label, np.where(limit, 255, whole))
            counts += [[(limit & part).sum(), part.sum()] for part in (whole == 0, whole != 0)]
        shares = counts[:, 0] / counts[:, 1]
        assert (shares <= [0.3, 0.2]).all() and (shares > [0.25, 0.15]).all()
        assert metrics['label/coverage'] == pytest.approx(100 * (1 - counts[:, 0].sum() / counts[:, 1].sum()), abs=3)
        # other workers, another run: the same; other shares: not
        made = {path.name: path.read_bytes() for path in folders[1].iterdir()}
        (folders[1] / 'img_02.png').unlink()
        options['test_cfg.doubt'] = doubt
        assert test('tiny_pseudo-label', options={**options, 'test_dataloader.num_workers': 2})[1] == metrics
        assert {path.name: path.read_bytes() for path in folders[1].iterdir()} == made
        with pytest.raises(ChangedSettingsError, match='pass --redo'):
            test('tiny_pseudo-label', options={**options, 'test_cfg.doubt': dict(doubt, background=0.4)})

    @pytest.mark.parametrize(
        'options, message',
        [
            ({'test_cfg.threshold': 'best'}, "in \\[0, 1\\] or 'auto'"),
            ({'test_cfg.threshold': 'auto', 'test_cfg.unsure': (0.2, 0.6)}, 'does not go with them'),
        ],
    )
    def test_wrong_thresholds(self, test, cams, options, message):
        with pytest.raises(ValueError, match=message):
            test('tiny_pseudo-label', options=options)

    def test_skips_the_valid_and_remakes_the_broken(self, test, cams, tmp_path):
        labels = tmp_path / 'work' / 'SegmentationClassPseudo'
        _, metrics = test('tiny_pseudo-label')
        contents, made = {path: path.read_bytes() for path in labels.iterdir()}, times(labels, '.png')
        (labels / 'img_02.png').unlink()
        (labels / 'img_03.png').write_bytes((labels / 'img_04.png').read_bytes())
        _, again = test('tiny_pseudo-label')
        assert {path: path.read_bytes() for path in labels.iterdir()} == contents
        assert {name for name, time in times(labels, '.png').items() if time != made[name]} == {
            'img_02.png',
            'img_03.png',
        }
        assert again == metrics

    def test_images_without_labels(self, test, cams, tmp_path):
        write_cam(str(cams / 'img_00.npz'), CAM(dict(seam=np.zeros((0, 12, 16))), [], (48, 64)))
        write_cam(str(cams / 'img_04.npz'), CAM(dict(seam=np.zeros((2, 12, 16))), [1, 2], (48, 64)))
        for index, powers in enumerate((None, (4.0, 8.0))):
            test('tiny_irnet', f'walk{index}', {'test_cfg.powers': powers})
            folder, power = tmp_path / f'walk{index}' / 'walks', None if powers is None else 8.0
            options = {'test_cfg.cam_dir': str(folder), 'test_cfg.power': power}
            _, metrics = test('tiny_pseudo-label', f'label{index}', options)
            for name in ('img_00', 'img_04'):
                path = tmp_path / f'label{index}' / 'SegmentationClassPseudo' / f'{name}.png'
                label = np.asarray(Image.open(path))
                assert label.shape == (48, 64) and not label.any()
            assert np.isfinite(metrics['label/mIoU'])

    @pytest.mark.parametrize(
        'options, message',
        [
            ({'test_cfg.threshold': 1.5}, r'threshold must be in \[0, 1\]'),
            ({'test_cfg.unsure': (0.6, 0.2)}, 'unsure must ascend'),
            ({'test_cfg.unsure': (0.2, 0.6), 'test_cfg.power': 4.0}, 'only one of power, unsure and crf'),
            ({'test_cfg.cam_dir': None}, 'PseudoLabelLoop reads CAMs, but none are named'),
            ({'test_cfg.doubt': dict(objects=2)}, r'doubt.objects must be in \[0, 1\]'),
            ({'test_cfg.doubt': dict(object=0.2)}, 'did you mean objects'),
            ({'test_cfg.unsure': (0.2, 0.6), 'test_cfg.doubt': dict()}, 'unsure and doubt'),
        ],
    )
    def test_wrong_options(self, tiny_config, cams, options, message):
        with pytest.raises(ValueError, match=message):
            Runner.from_cfg(tiny_config('tiny_pseudo-label', options=options)).test_loop  # noqa: B018

    def test_power_without_a_background(self, test, cams):
        with pytest.raises(ValueError, match='power is for walks that carry the background along'):
            test('tiny_pseudo-label', options={'test_cfg.power': 4.0})


class TestForegroundLoop:
    def test_files_and_metrics(self, test, cams, tmp_path):
        runner, metrics = test('tiny_foreground')
        folder = tmp_path / 'work' / 'foreground'
        assert sorted(times(folder, '.npz')) == [f'{img_id}.npz' for img_id in IDS]
        # both rounds, step by step
        data = [
            runner.model.data_preprocessor(pseudo_collate([item]), False) for item in runner.test_dataloader.dataset
        ]
        before = [read_cam(cams / f'{img_id}.npz') for img_id in IDS]
        spread = before
        with torch.no_grad():
            features = [runner.model.layer_maps(one['inputs'], ['layer2', 'layer3']) for one in data]
            for _ in range(2):
                moments = [FeatureMoments(), FeatureMoments()]
                for maps, cam in zip(features, spread):
                    covered = torch.from_numpy(mix(cam).max(0))[None, None]
                    for one, sums in zip(maps, moments):
                        own = interpolate(covered, one.shape[2:], mode='bilinear', antialias=True)
                        sums.add(one[0], own[0, 0])
                axes = [discriminant(sums) for sums in moments]
                spread = [
                    spread_cam(cam, mix(cam), foreground_of([one[0] for one in maps], axes, mix(cam).shape[1:]))
                    for maps, cam in zip(features, before)
                ]
        for img_id, expected in zip(IDS, spread):
            found = read_cam(folder / f'{img_id}.npz')
            assert found.classes.tolist() == expected.classes.tolist() and list(found.maps) == ['foreground']
            np.testing.assert_allclose(found.maps['foreground'], expected.maps['foreground'], atol=2e-3)
        assert set(metrics) == {f'CAM/foreground.{name}' for name in ('mIoU', 'best_mIoU', 'best_threshold')}

    def test_neither_batches_nor_what_was_there_matter(self, test, cams, tmp_path):
        test('tiny_foreground')
        folder = tmp_path / 'work' / 'foreground'
        contents = {path.name: path.read_bytes() for path in folder.iterdir()}
        test('tiny_foreground', 'alone', {'test_dataloader.batch_size': 1})
        assert {path.name: path.read_bytes() for path in (tmp_path / 'alone' / 'foreground').iterdir()} == contents
        (folder / 'img_01.npz').write_bytes(b'')
        (folder / 'img_07.npz').unlink()
        test('tiny_foreground')
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == contents

    def test_photos_without_tags(self, test, cams, tmp_path):
        cam = read_cam(cams / 'img_03.npz')
        nothing = {name: maps[:0] for name, maps in cam.maps.items()}
        write_cam(str(cams / 'img_03.npz'), CAM(nothing, cam.classes[:0], cam.size))
        test('tiny_foreground')
        found = read_cam(tmp_path / 'work' / 'foreground' / 'img_03.npz')
        assert found.maps['foreground'].shape[0] == 0 and found.size == cam.size

    def test_cams_of_nothing_stay_as_they_are(self, test, cams, tmp_path):
        for path in cams.glob('*.npz'):
            cam = read_cam(path)
            write_cam(str(path), CAM({'spotlight': 0 * cam.maps['spotlight']}, cam.classes, cam.size))
        test('tiny_foreground')
        found = [read_cam(tmp_path / 'work' / 'foreground' / f'{img_id}.npz') for img_id in IDS]
        assert all(not cam.maps['foreground'].any() for cam in found)
        assert 'the CAMs stay as they are' in next((tmp_path / 'work').rglob('*.log')).read_text(encoding='utf-8')

    @pytest.mark.parametrize(
        'options',
        [{'test_cfg.rounds': 1}, {'test_cfg.weight': 0.5}, {'test_cfg.layers': ['layer3']}, {'test_cfg.scale': 0.5}],
    )
    def test_changed_settings(self, test, cams, tmp_path, options):
        test('tiny_foreground')
        with pytest.raises(ChangedSettingsError, match='pass --redo'):
            test('tiny_foreground', options=options)
        test('tiny_foreground', 'fresh', options=options)
        assert difference(tmp_path / 'work' / 'foreground', tmp_path / 'fresh' / 'foreground') > 0

    @pytest.mark.parametrize(
        'options, message',
        [
            ({'test_cfg.layers': ['layer9']}, 'the backbone has no layer9; it has .*layer1'),
            ({'test_cfg.layers': []}, 'layers names no layer'),
            ({'test_cfg.rounds': 0}, 'rounds'),
            ({'test_cfg.weight': 2}, 'weight'),
            ({'test_cfg.cam_dir': None}, 'set test_cfg.cam_dir'),
        ],
    )
    def test_settings_that_cannot_be(self, test, cams, options, message):
        with pytest.raises(InputError, match=message):
            test('tiny_foreground', options=options)

    def test_only_a_classifier_has_such_layers(self, test, cams):
        options = {
            'test_cfg': dict(_delete_=True, type='ForegroundLoop', cam_dir=str(cams), layers=['layer2']),
        }
        with pytest.raises(InputError, match='needs the classifier that made the CAMs'):
            test('tiny_irnet', options=options)
