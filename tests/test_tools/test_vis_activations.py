import pytest
import torch
from PIL import Image

from mmamr.apis import init_model


def test_vis_activations(load_tool, tiny_config, tmp_path, capsys):
    cfg = tiny_config('tiny_amr')
    config, checkpoint, out = (str(tmp_path / name) for name in ('tiny.py', 'tiny.pth', 'activations.png'))
    cfg.dump(config)
    torch.save(dict(state_dict=init_model(cfg).state_dict()), checkpoint)
    tool = load_tool('analysis_tools/vis_activations.py')
    tool.main(
        [
            config,
            checkpoint,
            '--num',
            '3',
            '--width',
            '300',
            '--out',
            out,
            '--module',
            'compensation.amm.layer3-0-bn2.amm',
        ]
    )
    assert capsys.readouterr().out.splitlines()[-1] == out and Image.open(out).width == 300
    for args, message in (
        ([checkpoint, '--module', 'layer9'], 'compensation.amm.layer4-1-bn2.amm'),
        ([checkpoint, '--images', 'img_99'], 'img_99'),
        (['nowhere.pth'], 'nowhere.pth'),
        ([checkpoint, '--cfg-options', 'model.compensation.modulation=None'], 'does not fit'),
    ):
        with pytest.raises(SystemExit) as caught:
            tool.main([config, *args, '--out', out])
        assert message in str(caught.value) and '\n' not in str(caught.value)
    with pytest.raises(SystemExit):
        tool.main([config, checkpoint, '--num', '0'])
