import torch
from mmengine.optim import build_optim_wrapper
from torch import nn


def test_forward_in_bfloat16_and_a_step_in_float32():
    model = nn.Linear(4, 3)
    before = model.weight.clone()
    wrapper = build_optim_wrapper(
        model, dict(type='mmamr.CPUAmpOptimWrapper', optimizer=dict(type='SGD', lr=0.1), clip_grad=dict(max_norm=1.0))
    )
    with wrapper.optim_context(model):
        out = model(torch.randn(2, 4))
    assert out.dtype == torch.bfloat16
    assert not torch.is_autocast_cpu_enabled()
    wrapper.update_params(out.float().square().mean())
    assert model.weight.dtype == torch.float32 and not torch.equal(model.weight, before)
