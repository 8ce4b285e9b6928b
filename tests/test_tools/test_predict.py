import pytest


@pytest.fixture(scope='module')
def tool(load_tool):
    return load_tool('predict.py')


def test_masks_of_a_folder(tool, trained, tmp_path, capsys):
    options = ['--out', str(tmp_path / 'out'), '--fast', '--device', 'cpu']
    arguments = [trained.segmentation, trained.photos]
    assert tool.main([*arguments, *options, '--format', 'png', 'coco', 'cvat']) == 0
    printed = capsys.readouterr().out
    assert '12 made, 0 were there, 0 failed' in printed and 'contact_sheet.jpg' in printed
    assert (tmp_path / 'out' / 'coco.json').is_file() and (tmp_path / 'out' / 'cvat.xml').is_file()
    assert len(list((tmp_path / 'out' / 'masks').iterdir())) == 12
    # the rest is done
    assert tool.main([*arguments, str(tmp_path / 'nowhere.jpg'), *options]) == 1
    captured = capsys.readouterr()
    assert captured.err == f'{tmp_path / "nowhere.jpg"}: no such photo or folder; mend the path\n'


def test_the_config_in_the_place_of_the_checkpoint_s(tool, trained, tmp_path, capsys):
    import torch

    content = torch.load(trained.segmentation, weights_only=True)
    torch.save(content['state_dict'], tmp_path / 'weights.pth')
    arguments = [str(tmp_path / 'weights.pth'), f'{trained.photos}/img_00.jpg', '--out', str(tmp_path / 'o'), '--fast']
    with pytest.raises(SystemExit, match=r'holds no config of its training: name the config file by --config'):
        tool.main(arguments)
    assert tool.main([*arguments, '--config', trained.segmentation.replace('last.pth', 'tiny_segmentation.py')]) == 0


@pytest.mark.parametrize(
    'options',
    [['--batch-size', '0'], ['--workers', '0'], ['--tolerance', '-1'], ['--threshold', '2'], ['--format', 'tiff'], []],
)
def test_wrong_options_are_refused(tool, options):
    with pytest.raises(SystemExit) as ended:
        tool.main(['x.pth', 'photos', *(['--out', 'o'] if options else []), *options])
    assert ended.value.code == 2
