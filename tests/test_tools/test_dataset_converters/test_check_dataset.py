import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CONFIGS = Path(__file__).parents[2] / 'data' / 'configs'


@pytest.fixture(scope='module')
def main(load_tool):
    return load_tool('dataset_converters/check_dataset.py').main


def options(root, *more):
    return ['--data-root', str(root), '--classes', 'disc', 'square', 'cross', '--nproc', '1', *more]


def test_options(main, tiny_voc, tmp_path, capsys):
    assert main(options(tiny_voc, '--mask-dir', 'SegmentationClass')) == 0
    assert '8 images, 3 of 3 classes, 10 pairs' in capsys.readouterr().out
    assert main(options(tiny_voc, '--mask-dir', 'SegmentationClass', '--labels', 'masks')) == 0
    assert main(options(tiny_voc, '--mask-dir', 'SegmentationClass', '--mask-values', '1', '2', '4')) == 1
    assert 'unknown mask value' in capsys.readouterr().out

    (tmp_path / 'labels.csv').write_text('image,label\n' + ''.join(f'img_{i:02d},disc\n' for i in range(12)))
    ids = [f'img_{i:02d}' for i in range(12)]
    np.savez(tmp_path / 't.npz', ids=ids, classes=['disc'], labels=np.ones((12, 1), np.uint8))
    for name in ('labels.csv', 't.npz'):
        assert main(options(tiny_voc, '--labels', str(tmp_path / name))) == 0
        assert 'disc 8, square 0' in capsys.readouterr().out

    (tiny_voc / 'SegmentationClass' / 'img_00.png').unlink()
    assert main(options(tiny_voc, '--mask-dir', 'SegmentationClass')) == 1
    assert main(options(tiny_voc, '--mask-dir', 'SegmentationClass', '--partial-masks')) == 0
    shutil.move(tiny_voc / 'JPEGImages', tiny_voc / 'Photos')
    assert main(options(tiny_voc, '--img-dir', 'Photos', '--split', 'ImageSets/Segmentation/val.txt')) == 0
    assert main(options(tiny_voc, '--limit', '2')) == 1
    assert '... and 6 more' in capsys.readouterr().out


def test_config(main, tiny_voc, tmp_path, capsys):
    config = tmp_path / 'config.py'
    config.write_text(f"""
train_dataloader = dict(
    dataset=dict(type='ImageLabelDataset', data_root='{tiny_voc}', metainfo=dict(classes=('disc', 'square', 'cross'))))
""")
    assert main([str(config), '--nproc', '1']) == 0
    assert 'Checking train_dataloader' in capsys.readouterr().out
    assert main([str(config), '--nproc', '1', '--cfg-options', 'train_dataloader.dataset.split=nowhere.txt']) == 1
    assert 'nowhere.txt: no such list of images' in capsys.readouterr().out
    config.write_text('train_dataloader = None')
    assert main([str(config)]) == 1
    assert 'no loader with an ImageLabelDataset' in capsys.readouterr().out


def test_pipeline(main, tiny_voc, monkeypatch, capsys):
    """Each list of all stages once: photos, labels and masks of both."""
    monkeypatch.setenv('MMAMR_TINY_VOC', str(tiny_voc))
    config = str(CONFIGS / 'tiny_pipeline.py')
    assert main([config, '--nproc', '1']) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.startswith('Checking')] == [
        'Checking classifier.train_dataloader, segmentation.train_dataloader',
        'Checking cam.test_dataloader, affinity_label.test_dataloader, affinity.train_dataloader, '
        'walk.test_dataloader, pseudo_label.test_dataloader',
        'Checking segmentation.val_dataloader, evaluation.test_dataloader',
    ]
    assert '4 images' in out and '8 images' in out and '12 images' in out and 'no problems' in out
    assert '[suspicious: few photos]' in out
    (tiny_voc / 'SegmentationClass' / 'img_11.png').unlink()  # of val.txt
    assert main([config, '--nproc', '1']) == 1
    assert 'img_11.png: no such mask' in capsys.readouterr().out


def test_pipeline_on_another_folder(main, tiny_voc, make_voc, monkeypatch, capsys):
    monkeypatch.setenv('MMAMR_TINY_VOC', str(tiny_voc))
    other = make_voc('other', num_images=6)
    (other / 'ImageSets' / 'Segmentation' / 'val.txt').unlink()
    argv = [str(CONFIGS / 'tiny_pipeline.py'), '--nproc', '1', '--cfg-options', f'data_root={other}']
    assert main(argv) == 1
    assert f'{other}/ImageSets/Segmentation/val.txt: no such list of images' in capsys.readouterr().out
    assert main([*argv, 'metainfo.classes=disc,square']) == 1
    assert "unknown class 'cross'" in capsys.readouterr().out


def test_wrong_command_lines(main, tiny_voc, capsys):
    for argv in ([], ['--data-root', 'x', '--labels', 'masks']):
        with pytest.raises(SystemExit):
            main(argv)
    assert main(options(tiny_voc, '--mask-values', '1', '2')) == 1
    assert '3 different values' in capsys.readouterr().out
    assert main(['nowhere.py']) == 1
    assert 'nowhere.py' in capsys.readouterr().out


def test_any_folder_of_photos_is_checked(load_tool, tmp_path, capsys):
    main = load_tool('dataset_converters/check_dataset.py').main
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 256, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f'IMG {number}.jpg')
    rows = ''.join(f'IMG {number}.jpg,{("cat", "dog")[number % 2]}\n' for number in range(6))
    (tmp_path / 'tags.csv').write_text(f'image,label\n{rows}')
    before = sorted(tmp_path.iterdir())
    assert main(['--data-root', str(tmp_path), '--nproc', '1']) == 0
    assert sorted(tmp_path.iterdir()) == before
    text = capsys.readouterr().out
    assert 'tags: a CSV' in text and 'Checking train_dataloader' in text and 'Checking val_dataloader' in text
    config = Path(__file__).parents[3] / 'configs' / 'amr' / 'amr_resnet18-w16_1xb8-12e_embedded-112px.py'
    (tmp_path / 'IMG 3.jpg').write_bytes(b'no photo')
    assert main([str(config), '--data-root', str(tmp_path), '--classes', 'dog', '--nproc', '1']) == 1
    assert 'truncated or broken image' in capsys.readouterr().out
