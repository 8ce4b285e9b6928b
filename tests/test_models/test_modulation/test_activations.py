import pytest

from mmamr.datasets import init_dataset
from mmamr.fileio import read_rgb
from mmamr.models.modulation import activations_of
from mmamr.models.utils import build_model
from mmamr.utils import InputError


def test_activations_of(tiny_config):
    cfg = tiny_config('tiny_amr')
    model, dataset = build_model(cfg).train(), init_dataset(cfg)
    images = [read_rgb(dataset.get_data_info(index)['img_path']) for index in range(2)]
    hooks = [len(module._forward_hooks) for module in model.modules()]
    modes = [module.training for module in model.modules()]
    name, values = activations_of(model, images)
    assert name == 'compensation.amm.layer4-1-bn2.amm'
    assert list(values) == ['features', 'channel attention', 'spatial attention']
    # 32 channels of two photos; a gate of at most 1
    assert [len(one) for one in values['channel attention']] == [64, 64]
    assert values['channel attention'][1].max() <= 1
    assert activations_of(model, images, 'compensation.amm.layer3-0-bn2.amm')[0].endswith('layer3-0-bn2.amm')
    with pytest.raises(InputError, match=r'the model has compensation\.amm\.layer3-0-bn2\.amm, '):
        activations_of(model, images, 'layer9')
    assert hooks == [len(module._forward_hooks) for module in model.modules()]
    assert modes == [module.training for module in model.modules()]
