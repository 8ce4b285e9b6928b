import math

import pytest
import torch

from mmamr.models.modulation import GaussianModulation, ThresholdModulation


def reference(values, form, unbiased):
    mean, sigma = values.mean(), values.std(unbiased=unbiased)
    gate = torch.exp(-((values - mean) ** 2) / (2 * sigma**2))
    return gate if form == 'peak' else gate / (math.sqrt(2 * math.pi) * sigma)


@pytest.mark.parametrize('form', ['peak', 'pdf'])
@pytest.mark.parametrize('unbiased', [True, False])
@pytest.mark.parametrize('statistics', ['sample', 'batch'])
@pytest.mark.parametrize('scale', [1e-3, 1.0, 1e6])
def test_gaussian_is_equation_8(form, unbiased, statistics, scale):
    torch.manual_seed(0)
    values = torch.randn(3, 1, 4, 5) * scale + scale
    gate = GaussianModulation(form, statistics, unbiased)(values)
    if statistics == 'batch':
        expected = reference(values, form, unbiased)
    else:
        expected = torch.stack([reference(one, form, unbiased) for one in values])
    torch.testing.assert_close(gate, expected, rtol=1e-4, atol=1e-6)


def test_minor_values_are_emphasised():
    values = torch.linspace(-3, 3, 61)[None]
    gate = GaussianModulation()(values)[0]
    assert gate.argmax() == 30 and gate[30] == 1
    assert (gate[:30].diff() > 0).all() and (gate[30:].diff() < 0).all()


def test_detach_decides_the_gradient():
    values = torch.randn(2, 9, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(GaussianModulation(detach=False), values)
    # shifting all values moves μ with them: with gradient through μ and σ the sum of gradients is zero
    (grad,) = torch.autograd.grad(GaussianModulation(detach=False)(values).pow(3).sum(), values)
    torch.testing.assert_close(grad.sum(1), torch.zeros(2, dtype=torch.float64), atol=1e-8, rtol=0)
    (grad,) = torch.autograd.grad(GaussianModulation(detach=True)(values).pow(3).sum(), values)
    assert grad.sum(1).abs().min() > 1e-6


def test_constant_map_passes_unchanged():
    for form in GaussianModulation.FORMS:
        assert (GaussianModulation(form)(torch.full((2, 5), 7.0)) == 1).all()
    assert (GaussianModulation(unbiased=True)(torch.ones(1, 1)) == 1).all()


def test_threshold_is_one_above_zero_below():
    values = torch.tensor([[-1.0, 0.2, 0.5, 3.0]])
    assert ThresholdModulation(0.3)(values).tolist() == [[0, 0, 1, 1]]
    assert ThresholdModulation(1.0, statistics='sample')(values).tolist() == [[0, 0, 0, 1]]
    two = torch.cat([values, values + 10])
    assert ThresholdModulation(0.0, statistics='batch')(two).tolist() == [[0, 0, 0, 0], [1, 1, 1, 1]]


def test_wrong_arguments_raise():
    with pytest.raises(ValueError, match='form must be'):
        GaussianModulation('bell')
    with pytest.raises(ValueError, match='statistics must be'):
        GaussianModulation(statistics='image')
