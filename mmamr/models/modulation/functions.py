"""Modulation functions G (eq. 7): from the values of an attention map to a gate of the same shape."""

import math

import torch
from torch import Tensor, nn

from mmamr.registry import MODELS
from mmamr.utils import SettingError, check_number

STATISTICS = ('sample', 'batch')


class _Standardize(nn.Module):
    """Mean and standard deviation of attention values (eq. 8), safe for constant, zero and huge values."""

    def __init__(self, statistics: str, unbiased: bool, detach: bool, eps: float) -> None:
        super().__init__()
        if statistics not in STATISTICS:
            raise SettingError(f'statistics must be one of {STATISTICS}, but got {statistics!r}')
        self.statistics = statistics
        self.mixes_samples = statistics == 'batch'
        self.unbiased = unbiased
        self.detach = detach
        self.eps = eps

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """
        Args:
            values (Tensor): ``(N, ...)`` in float32 or float64.

        Returns:
            tuple[Tensor]: z ``(values - μ) / σ``, σ, and where σ is zero but for rounding; the last two broadcast.
        """
        dims = tuple(range(values.dim())) if self.statistics == 'batch' else tuple(range(1, values.dim()))
        limit = torch.finfo(values.dtype).max
        values = values.clamp(-limit, limit)
        source = values.detach() if self.detach else values
        # Squares of huge values overflow: the statistics are taken of values / max |values|.
        scale = source.detach().abs().amax(dims, keepdim=True)
        scale = torch.where(scale > 0, scale, torch.ones_like(scale))
        small = source / scale
        mean = small.mean(dims, keepdim=True)
        count = small[0].numel() if self.statistics == 'sample' else small.numel()
        variance = (small - mean).square().sum(dims, keepdim=True) / max(count - int(self.unbiased), 1)
        constant = variance <= self.eps**2
        # sqrt has no gradient at zero: keep the constant maps out of it.
        sigma = torch.where(constant, torch.ones_like(variance), variance).sqrt()
        return (values / scale - mean) / sigma, sigma * scale, constant


@MODELS.register_module()
class GaussianModulation(nn.Module):
    r"""Gaussian modulation (eq. 7-8): values near the mean are kept, the most and the least important are suppressed.

    .. math:: G(v) = \exp\left(-\frac{(v - \mu)^2}{2 \sigma^2}\right)
        \left[\cdot \frac{1}{\sqrt{2 \pi} \sigma}\right]_{\text{form = 'pdf'}}

    A map that is constant has no most and least important values; its gate is 1 in both forms (the released code
    returns NaN).

    Args:
        form (str): ``'peak'``: the largest gate is 1. ``'pdf'``: the density of the normal distribution, as in the
            released code; its gate grows without bound as σ shrinks. Defaults to ``'peak'``.
        statistics (str): μ and σ of each ``'sample'``, or of the whole ``'batch'`` as in the released code, where a
            sample's output depends on its neighbours. Defaults to ``'sample'``.
        unbiased (bool): Divide by M - 1 instead of M (eq. 8 has M, the released code M - 1). Defaults to False.
        detach (bool): Whether μ and σ are constants for the gradient, as in the released code. Defaults to True.
        eps (float): A map whose σ is below ``eps`` times its largest magnitude is constant. Defaults to 1e-6.
    """

    FORMS = ('peak', 'pdf')

    def __init__(
        self,
        form: str = 'peak',
        statistics: str = 'sample',
        unbiased: bool = False,
        detach: bool = True,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        if form not in self.FORMS:
            raise SettingError(f'form must be one of {self.FORMS}, but got {form!r}')
        self.form = form
        self.standardize = _Standardize(statistics, unbiased, detach, eps)

    def forward(self, values: Tensor) -> Tensor:
        """
        Args:
            values (Tensor): Attention values ``(N, ...)`` of any floating type.

        Returns:
            Tensor: The gate, same shape, finite, in float32 (float64 for float64).
        """
        values = values if values.dtype == torch.float64 else values.float()
        z, sigma, constant = self.standardize(values)
        gate = torch.exp(-0.5 * z.square())
        if self.form == 'pdf':
            gate = gate / (math.sqrt(2 * math.pi) * sigma)
            gate = gate.clamp(max=torch.finfo(gate.dtype).max)
        return torch.where(constant, torch.ones_like(gate), gate)


@MODELS.register_module()
class ThresholdModulation(nn.Module):
    """Threshold modulation of Table 4: 1 where a value exceeds the threshold, 0 where it does not.

    The gate has no gradient: the attention in front of it keeps its random start, the features learn through it.

    Args:
        threshold (float): In units of the attention values, or of their σ from their μ where ``statistics`` is set.
            Defaults to 0.
        statistics (str, optional): None takes one threshold for all images, as the paper describes; ``'sample'`` or
            ``'batch'`` standardise the values first. Defaults to None.
    """

    def __init__(self, threshold: float = 0.0, statistics: str | None = None) -> None:
        super().__init__()
        check_number('threshold', threshold)
        self.threshold = threshold
        self.standardize = None
        if statistics is not None:
            self.standardize = _Standardize(statistics, unbiased=False, detach=True, eps=1e-6)

    def forward(self, values: Tensor) -> Tensor:
        """
        Args:
            values (Tensor): Attention values ``(N, ...)`` of any floating type.

        Returns:
            Tensor: The gate of zeros and ones, same shape, in float32 (float64 for float64).
        """
        values = (values if values.dtype == torch.float64 else values.float()).detach()
        if self.standardize is None:
            return (values > self.threshold).to(values.dtype)
        z, _, constant = self.standardize(values)
        return ((z > self.threshold) | constant).to(values.dtype)
