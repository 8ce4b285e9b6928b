from pathlib import Path

import pytest
from torch import nn

CONFIGS = Path(__file__).parents[1] / 'data' / 'configs'


@pytest.fixture
def tool(load_tool):
    return load_tool('analysis_tools/get_flops.py')


class Counted(nn.Module):
    """A model whose numbers can be told by hand."""

    def __init__(self):
        super().__init__()
        self.frozen = nn.Conv2d(3, 4, 3, padding=1, bias=False).requires_grad_(False)
        self.trained = nn.Conv2d(4, 2, 1, bias=False)

    def forward(self, inputs, data_samples, mode):
        assert mode == 'loss' and len(data_samples) == 1
        return self.trained(self.frozen(inputs)).sigmoid().sum()


def test_measure(tool):
    numbers = tool.measure(Counted(), 8, 16)
    pixels = 8 * 16
    assert numbers['params'] == 4 * 3 * 9 + 2 * 4 and numbers['trained'] == 2 * 4
    assert numbers['flops'] == 2 * numbers['params'] * pixels
    # the input of the layer that is trained and the output of the sigmoid, in float32
    assert numbers['kept'] == 4 * (4 + 2) * pixels


@pytest.mark.parametrize('name', ['tiny_amr', 'tiny_segmentation', 'tiny_irnet-train'])
def test_each_kind_of_model(tool, name, capsys):
    tool.main([str(CONFIGS / f'{name}.py'), '--shape', '64', '96', '--batch-size', '3'])
    text = capsys.readouterr().out
    assert '3 x 3 x 64 x 96' in text and 'GFLOPs' in text and 'GiB' in text


def test_what_has_no_model_to_train(tool):
    with pytest.raises(SystemExit, match=r'tiny_pseudo-label\.py trains no model'):
        tool.main([str(CONFIGS / 'tiny_pseudo-label.py')])


@pytest.mark.parametrize('argv', [('--shape', '1', '2', '3'), ('--shape', '0'), ('--batch-size', '0')])
def test_wrong_options(tool, capsys, argv):
    with pytest.raises(SystemExit) as caught:
        tool.parse_args(['config.py', *argv])
    assert caught.value.code == 2 and argv[0] in capsys.readouterr().err
