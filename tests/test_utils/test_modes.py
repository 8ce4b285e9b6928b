import pytest
from torch import nn

from mmamr.utils import evaluating, frozen


@pytest.fixture
def model():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1)).train()
    model[1].eval()
    model[2].requires_grad_(False)
    return model


def state(model):
    return (
        [module.training for module in model.modules()],
        [parameter.requires_grad for parameter in model.parameters()],
    )


@pytest.mark.parametrize('context', [evaluating, frozen])
def test_state_is_restored(model, context):
    before = state(model)
    with context(model) as inside:
        assert inside is model
        modes, gradients = state(model)
        assert not any(modes if context is evaluating else gradients)
        assert (gradients if context is evaluating else modes) == before[context is evaluating]
    assert state(model) == before
    with pytest.raises(KeyError), context(model):
        raise KeyError
    assert state(model) == before
