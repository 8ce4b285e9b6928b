"""The pipeline for one's own photos, on photos that are drawn into a folder, with random weights."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mmamr.datasets.embedded import CLASSES
from mmamr.datasets.embedded.dataset import EmbeddedDataset
from mmamr.pipeline import WSSSRunner

CONFIG = Path(__file__).parents[2] / 'configs' / 'pipelines' / 'photos_efficientnet-lite.py'
QUICK = {
    'classifier': {
        'train_cfg.max_iters': 2,
        'train_cfg.val_interval': 2,
        'model.spotlight.backbone.init_cfg': None,
        'train_dataloader.num_workers': 0,
        'train_dataloader.persistent_workers': False,
        'val_dataloader.num_workers': 0,
        'val_dataloader.persistent_workers': False,
    },
    'cam': {'test_cfg.scales': (1.0,), 'test_cfg.flip': False},
    'pseudo_label': {'test_cfg.cam_dir': '{cam.out_dir}', 'test_cfg.crf.iterations': 1},
    'segmentation': {
        'train_cfg.max_iters': 2,
        'train_cfg.val_interval': 2,
        'model.backbone.init_cfg': None,
        'train_dataloader.dataset.label_dir': '{pseudo_label.out_dir}',
        'train_dataloader.num_workers': 0,
        'train_dataloader.persistent_workers': False,
        'val_dataloader.num_workers': 0,
        'val_dataloader.persistent_workers': False,
    },
    'evaluation': {
        'test_time.scales': (1.0,),
        'test_evaluator.output_dir': '{evaluation.work_dir}/predictions',
        'test_dataloader.num_workers': 0,
        'test_dataloader.persistent_workers': False,
    },
}


@pytest.fixture
def photos(tmp_path):
    """Twelve photos to train with and four new ones, and their tags; no masks."""
    root = tmp_path / 'photos'
    lists = root / 'ImageSets' / 'Segmentation'
    lists.mkdir(parents=True)
    (root / 'JPEGImages').mkdir()
    lines = ['image,label']
    for split, num in (('train', 12), ('val', 4)):
        dataset = EmbeddedDataset(str(tmp_path / 'drawn'), 12, 4, split=f'ImageSets/Segmentation/{split}.txt')
        items = [dataset.get_data_info(index) for index in range(num)]
        for item in items:
            shutil.copy(item['img_path'], root / 'JPEGImages')
            lines.append(f'{item["img_id"]},{";".join(CLASSES[label] for label in item["gt_label"])}')
        (lists / f'{split}.txt').write_text(''.join(f'{item["img_id"]}\n' for item in items))
    (root / 'labels.csv').write_text('\n'.join(lines) + '\n')
    return root


@pytest.mark.parametrize('name', ['photos_efficientnet-lite', 'photos_resnet50'])
def test_photos_and_options_reach_every_stage(photos, tmp_path, name):
    cfg = Config.fromfile(CONFIG.with_name(f'{name}.py'))
    cfg.merge_from_dict(dict(work_dir=str(tmp_path / 'work'), data_root=str(photos), metainfo=dict(classes=CLASSES)))
    cfg.merge_from_dict({'options': {'max_long_side': 300, 'randomness.seed': 3}})
    runner = WSSSRunner.from_cfg(cfg)
    assert 'MISSING' not in runner.describe_plan()
    for stage in runner.stages.values():
        config = runner.planner.config(stage)
        dataset = config[stage.dataloader].dataset
        assert (dataset.max_long_side, dataset.data_root, config.randomness.seed) == (300, str(photos), 3)
        assert tuple(dataset.metainfo['classes']) == tuple(CLASSES)
    assert runner.planner.config(runner.stages['classifier']).model.spotlight.head.num_classes == len(CLASSES)
    segmentation = runner.planner.config(runner.stages['segmentation'])
    assert segmentation.model.decode_head.num_classes == len(CLASSES) + 1
    if name == 'photos_efficientnet-lite':
        assert segmentation.model.tagger.head.num_classes == len(CLASSES)
        assert segmentation.model.tagger.init_cfg.checkpoint == '{classifier.checkpoint}'
    assert segmentation.train_dataloader.dataset.label_dir == '{pseudo_label.out_dir}'


@pytest.mark.slow
def test_from_tags_to_masks(photos, tmp_path, capsys):
    cfg = Config.fromfile(CONFIG)
    options = {f'stages.{stage}.options': values for stage, values in QUICK.items()}
    cfg.merge_from_dict(dict(work_dir=str(tmp_path / 'work'), data_root=str(photos), metainfo=dict(classes=CLASSES)))
    cfg.merge_from_dict(options)
    WSSSRunner.from_cfg(cfg).train()
    work = tmp_path / 'work'
    stages = json.loads((work / 'manifest.json').read_text())['stages']
    assert set(stages) == {'classifier', 'cam', 'foreground', 'pseudo_label', 'segmentation', 'evaluation'}
    assert all(record['state'] == 'done' for record in stages.values())
    assert 'No pictures' not in (work / 'report.html').read_text(encoding='utf-8')
    labels = sorted((work / 'pseudo_label' / 'SegmentationClassPseudo').glob('*.png'))
    predictions = sorted((work / 'evaluation' / 'predictions').glob('*.png'))
    assert len(labels) == 12 and len(predictions) == 4
    assert np.asarray(Image.open(labels[0])).max() <= len(CLASSES)
    # a threshold without masks, its pictures, and what is to be said of a dozen photos
    assert 0 < stages['pseudo_label']['metrics']['threshold'] < 1
    assert (work / 'pseudo_label' / 'thresholds.png').is_file()
    assert (work / 'classifier' / 'warnings.txt').read_text().startswith('fewer than 20 training photos of ')
    assert 'warning: fewer than 20 training photos of ' in capsys.readouterr().out


@pytest.mark.slow
def test_the_commands_of_the_readme(photos, tmp_path, run_tool):
    """A folder of photos under odd names and a CSV, then masks of photos that nobody has seen."""
    mine = tmp_path / 'my photos, 2024'
    (mine / 'sub dir').mkdir(parents=True)
    lines = ['Image;Label']
    rows = (photos / 'labels.csv').read_text().splitlines()[1:]
    for number, row in enumerate(rows):
        img_id, _, labels = row.partition(',')
        name = f'sub dir/Foto {number} (ü).JPG' if number % 2 else f'{number}, "copy".jpg'
        Image.open(photos / 'JPEGImages' / f'{img_id}.png').convert('RGB').save(mine / name)
        quoted = name.replace('"', '""')
        lines.append(f'"{quoted}";"{labels}"')
    (mine / 'tags.csv').write_text('\n'.join(lines) + '\n', encoding='utf-8')
    work = tmp_path / 'work'
    options = [
        f'stages.{stage}.options.{key}={value}'
        for stage, values in QUICK.items()
        for key, value in values.items()
        if 'label_dir' not in key and 'cam_dir' not in key and 'output_dir' not in key and '{' not in str(value)
    ]
    command = ['train.py', CONFIG, '--data-root', mine, '--work-dir', work, '--cfg-options', *options]
    ended = run_tool(*command)
    assert ended.code == 0, ended.output
    # the second call finds all of it done
    before = {path: path.stat().st_mtime_ns for path in work.rglob('*.p[nt][gh]')}
    ended = run_tool(*command)
    assert ended.code == 0 and ended.output.count('skip, it is done') == 6, ended.output
    assert before == {path: path.stat().st_mtime_ns for path in work.rglob('*.p[nt][gh]')} and before
    assert 'No pictures' not in (work / 'report.html').read_text(encoding='utf-8')
    out = tmp_path / 'masks'
    ended = run_tool('predict.py', work, photos / 'JPEGImages', '--fast', '--out', out)
    assert ended.code == 0, ended.output
    assert len(list((out / 'masks').glob('*.png'))) == 16 and (out / 'contact_sheet.jpg').exists()
    names = [one['name'] for one in json.loads((out / 'classes.json').read_text())['classes']]
    assert names[0] == 'background' and set(names[1:]) <= set(CLASSES) and len(names) > 2


@pytest.mark.slow
def test_a_corrected_second_round(photos, tmp_path, run_tool):
    """The masks of the first round go to LabelMe, are corrected there, and the second learns from what came back."""
    options = [
        f'stages.{stage}.options.{key}={value}'
        for stage, values in QUICK.items()
        for key, value in values.items()
        if '{' not in str(value)
    ]
    train = ['train.py', CONFIG, '--data-root', photos]
    ended = run_tool(*train, '--work-dir', tmp_path / 'round-1', '--cfg-options', *options)
    assert ended.code == 0, ended.output
    out = tmp_path / 'corrected'
    export = [tmp_path / 'round-1', photos / 'JPEGImages', '--fast', '--out', out, '--format', 'labelme']
    ended = run_tool('predict.py', *export)
    assert ended.code == 0, ended.output
    # a person draws a box around each object that the tags name, one beside the other
    tags = dict(line.split(',') for line in (photos / 'labels.csv').read_text().splitlines()[1:])
    corners = [[[8 * n, 4], [8 * n + 8, 4], [8 * n + 8, 20], [8 * n, 20]] for n in range(9)]
    for img_id, names in tags.items():
        path = out / 'labelme' / f'{img_id}.json'
        content = json.loads(path.read_text())
        content['shapes'] = [
            dict(label=name, points=corners[n], shape_type='polygon') for n, name in enumerate(names.split(';')) if name
        ]
        path.write_text(json.dumps(content))
    second = [*train, '--masks', out / 'labelme', '--work-dir', tmp_path / 'round-2', '--cfg-options', *options]
    ended = run_tool(*second)
    assert ended.code == 0 and '12 photos to train with have masks to learn from' in ended.output, ended.output
    layout = json.loads((tmp_path / 'round-2' / 'photos' / 'classes.json').read_text())
    values = dict(zip(layout['classes'], layout['mask_values']))
    labels = sorted((tmp_path / 'round-2' / 'pseudo_label' / 'SegmentationClassPseudo').glob('*.png'))
    assert len(labels) == 12
    for path in labels:
        expected = np.zeros(np.asarray(Image.open(path)).shape, np.uint8)
        for n, name in enumerate(filter(None, tags[path.stem].split(';'))):
            expected[4:20, 8 * n : 8 * n + 8] = values[name]
        np.testing.assert_array_equal(np.asarray(Image.open(path)), expected)
    # what is measured against them is the other four
    stages = json.loads((tmp_path / 'round-2' / 'manifest.json').read_text())['stages']
    assert any(name.endswith('mIoU') for name in stages['evaluation']['metrics'])
    # nothing has changed; then one is corrected again
    ended = run_tool(*second)
    assert ended.code == 0 and ended.output.count('skip, it is done') == 6, ended.output
    path = out / 'labelme' / f'{labels[0].stem}.json'
    path.write_text(path.read_text().replace('20]', '30]'))
    ended = run_tool(*second)
    assert ended.code != 0 and 'what it reads changed: images: --redo' in ended.output.splitlines()[-1], ended.output
