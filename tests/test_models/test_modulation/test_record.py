import pytest
import torch
from torch import nn

from mmamr.models.modulation import AMM, choose_amm, find_amms, recording


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 1), AMM(4), nn.Sequential(AMM(4, spatial=None)), nn.ReLU())


def test_choose_amm(model):
    assert list(find_amms(model)) == ['1', '2.0']
    assert choose_amm(model) == ('2.0', model[2][0]) and choose_amm(model, '1') == ('1', model[1])
    with pytest.raises(ValueError, match=r"no AMM is named '9'; the model has 1, 2\.0"):
        choose_amm(model, '9')
    with pytest.raises(ValueError, match='Conv2d has no AMM'):
        choose_amm(model[0])


def test_what_is_recorded(model):
    x = torch.randn(2, 3, 6, 5)
    usual = model(x)
    with recording(model[1]) as record:
        assert torch.equal(model(x), usual)
        model(x[:1])
    before = model[0](x)
    after = model[1](before)
    assert list(record) == ['features', 'channel attention', 'spatial attention']
    assert torch.equal(record['features'][0][0], before.flatten())
    assert torch.equal(record['features'][1][0], after.flatten())
    attention = model[1].channel.attention(before)
    assert torch.equal(record['channel attention'][0][0], attention.flatten())
    assert torch.equal(record['channel attention'][1][0], model[1].channel.function(attention).flatten())
    assert [len(one) for one in record['spatial attention'][1]] == [60, 30]
    assert not any(one.requires_grad for pair in record.values() for part in pair for one in part)
    with recording(model[2][0]) as record:
        model(x)
    assert list(record) == ['features', 'channel attention']


def test_many_values_are_thinned(model):
    with recording(model[1], max_values=50) as record:
        model(torch.randn(1, 3, 8, 8))
    assert len(record['features'][0][0]) == len(record['features'][1][0]) == 43  # every 6th of 256
    assert len(record['channel attention'][0][0]) == 4


def test_hooks_are_gone_after_an_exception(model):
    with pytest.raises(RuntimeError), recording(model[1]):
        model(torch.randn(1, 7, 8, 8))
    with recording(model[1]):
        pass
    assert not any(module._forward_hooks for module in model.modules())
