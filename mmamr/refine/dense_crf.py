"""Fully connected CRF with Gaussian edge potentials, by mean field (Krähenbühl & Koltun, NeurIPS 2011)."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from mmamr.utils import SettingError, check_choice, check_keys, check_number

from .permutohedral import PermutohedralLattice

__all__ = ['AFFINITYNET_CRF', 'DEEPLABV2_CRF', 'IRNET_CRF', 'CRFParams', 'DenseCRF', 'check_crf', 'dense_crf']

BACKENDS = ('auto', 'pydensecrf', 'torch')


@dataclass(frozen=True)
class CRFParams:
    """What a dense CRF can be told. The defaults are IRNet's.

    Attributes:
        iterations (int): Steps of mean field. Defaults to 10.
        gaussian_sxy (float): Standard deviation in pixels of the kernel on position alone. Defaults to 3.
        gaussian_compat (float): Weight of that kernel; 0 leaves it out. Defaults to 3.
        bilateral_sxy (float): Standard deviation in pixels of the kernel on position and colour. Defaults to 50.
        bilateral_srgb (float): Standard deviation in grey values, of 0 to 255, of that kernel. Defaults to 5.
        bilateral_compat (float): Weight of that kernel; 0 leaves it out. Defaults to 10.
        gt_prob (float): Probability that a label is right, where labels are given and not probabilities. Defaults to
            0.7.
    """

    iterations: int = 10
    gaussian_sxy: float = 3
    gaussian_compat: float = 3
    bilateral_sxy: float = 50
    bilateral_srgb: float = 5
    bilateral_compat: float = 10
    gt_prob: float = 0.7

    def __post_init__(self) -> None:
        check_number('iterations', self.iterations, 0, whole=True)
        for name in ('gaussian_sxy', 'bilateral_sxy', 'bilateral_srgb'):
            check_number(name, getattr(self, name), above=0)
        for name in ('gaussian_compat', 'bilateral_compat'):
            check_number(name, getattr(self, name), 0)
        check_number('gt_prob', self.gt_prob)
        if not 0 < self.gt_prob < 1:
            raise SettingError(f'gt_prob must lie between 0 and 1, got {self.gt_prob}')


IRNET_CRF = CRFParams()
"""On the labels of thresholded CAMs (IRNet)."""
AFFINITYNET_CRF = CRFParams(bilateral_sxy=80, bilateral_srgb=13)
"""On CAMs as probabilities (AffinityNet)."""
DEEPLABV2_CRF = CRFParams(gaussian_sxy=1, gaussian_compat=3, bilateral_sxy=67, bilateral_srgb=3, bilateral_compat=4)
"""On the softmax of a segmentation network (DeepLab-v2)."""


def dense_crf(
    image: np.ndarray,
    scores: np.ndarray,
    params: CRFParams = IRNET_CRF,
    *,
    num_labels: int | None = None,
    backend: str = 'auto',
    device: str | torch.device = 'cpu',
    **named: float,
) -> np.ndarray:
    """Make labels or probabilities follow the colours of an image.

    Args:
        image (np.ndarray): uint8 photo, ``(H, W)`` or ``(H, W, 3)``.
        scores (np.ndarray): Labels from 0 on, integers of shape ``(H, W)``; or probabilities, floats of shape
            ``(L, H, W)``, of which those below 1e-5 count as 1e-5 and those above 1 as 1.
        params (CRFParams): Kernels and iterations. Defaults to IRNet's.
        num_labels (int, optional): L; needed with labels. Defaults to None.
        backend (str): ``'pydensecrf'`` (CPU; package ``pydensecrf2``), ``'torch'`` (CPU and GPU), or ``'auto'``, which
            is pydensecrf on the CPU where it is installed and else torch. They agree in all but a few pixels. Defaults
            to ``'auto'``.
        device (str | torch.device): Where the torch backend computes. Defaults to ``'cpu'``.
        **named: Any field of :class:`CRFParams`, in place of that of ``params``.

    Returns:
        np.ndarray: Probability of each label, float32 of shape ``(L, H, W)``. Its ``argmax(0)`` is the label map.

    Raises:
        ValueError: If a shape, dtype or value is none of the above.
        ImportError: If pydensecrf is asked for and not installed.

    Examples:
        >>> import numpy as np
        >>> from mmamr.refine import dense_crf
        >>> image = np.zeros((32, 48, 3), np.uint8)
        >>> labels = np.zeros((32, 48), int)
        >>> dense_crf(image, labels, num_labels=2, gt_prob=0.9).shape
        (2, 32, 48)
    """
    return DenseCRF(image, params, backend=backend, device=device, **named)(scores, num_labels)


class DenseCRF:
    """The dense CRF of one image, for several scores: its kernels, a good part of the work, are made once.

    Args:
        image (np.ndarray): See :func:`dense_crf`.
        params (CRFParams): Kernels and iterations. Defaults to IRNet's.
        backend (str): See :func:`dense_crf`. Defaults to ``'auto'``.
        device (str | torch.device): Where the torch backend computes. Defaults to ``'cpu'``.
        **named: Any field of :class:`CRFParams`, in place of that of ``params``.

    Raises:
        ValueError: If the image or a parameter is none of those.
        ImportError: If pydensecrf is asked for and not installed.
    """

    def __init__(
        self,
        image: np.ndarray,
        params: CRFParams = IRNET_CRF,
        *,
        backend: str = 'auto',
        device: str | torch.device = 'cpu',
        **named: float,
    ) -> None:
        self.params = _replace(params, named)
        mean_field = _backend(backend, torch.device(device))
        self.image = _rgb(image)
        self.mean_field = mean_field(self.image, self.params, torch.device(device))

    def __call__(self, scores: np.ndarray, num_labels: int | None = None) -> np.ndarray:
        """Probability of each label, see :func:`dense_crf`."""
        energy = _unary(np.asarray(scores), num_labels, self.params.gt_prob)
        if energy.shape[1:] != self.image.shape[:2]:
            raise SettingError(
                f'scores must have the size of the image, {self.image.shape[:2]}, got {energy.shape[1:]}'
            )
        return np.ones_like(energy) if len(energy) == 1 else self.mean_field(energy)


def check_crf(name: str, options: Any) -> None:
    """Refuse a dict of options of a dense CRF that :class:`DenseCRF` would not take.

    Args:
        name (str): The setting that is this dict, for the message.
        options (Any): Its value.

    Raises:
        SettingError: Names what is wrong.
    """
    check_keys(name, options, (*CRFParams.__dataclass_fields__, 'backend', 'device'))
    if 'backend' in options:
        check_choice(f'{name}.backend', options['backend'], BACKENDS)
    try:
        CRFParams(**{key: value for key, value in options.items() if key in CRFParams.__dataclass_fields__})
    except SettingError as error:
        raise SettingError(f'{name}.{error}') from None


def _replace(params: CRFParams, named: dict) -> CRFParams:
    try:
        return replace(params, **named)
    except TypeError:
        unknown = sorted(set(named) - set(CRFParams.__dataclass_fields__))
        raise SettingError(
            f'no parameter of a dense CRF: {unknown}; there are {sorted(CRFParams.__dataclass_fields__)}'
        ) from None


def _backend(name: str, device: torch.device) -> Callable:
    check_choice('backend', name, BACKENDS)
    installed = importlib.util.find_spec('pydensecrf') is not None
    if name == 'pydensecrf' and device.type != 'cpu':
        raise SettingError(f"the backend 'pydensecrf' runs on the CPU only, got the device {str(device)!r}")
    if name == 'pydensecrf' and not installed:
        raise ImportError("the backend 'pydensecrf' needs `pip install pydensecrf2`; 'torch' needs nothing more")
    if name == 'pydensecrf' or (name == 'auto' and installed and device.type == 'cpu'):
        return _PydensecrfMeanField
    return _TorchMeanField


def _rgb(image: np.ndarray) -> np.ndarray:
    image = np.asarray(image)
    if image.dtype != np.uint8 or not image.size or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
        raise SettingError(f'image must be uint8 of shape (H, W) or (H, W, 3), got {image.dtype} {image.shape}')
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    return np.require(image, requirements=['C', 'W'])  # neither backend takes a read-only array


def _unary(scores: np.ndarray, num_labels: int | None, gt_prob: float) -> np.ndarray:
    """Negative logarithm of the probabilities, float32 of shape ``(L, H, W)``."""
    if scores.dtype.kind in 'iub' and scores.ndim == 2:
        if num_labels is None:
            raise SettingError('num_labels is needed with labels: how many are there, background included?')
        if scores.min(initial=0) < 0 or scores.max(initial=0) >= num_labels:
            raise SettingError(f'labels must be in 0 to {num_labels - 1}, got {scores.min()} to {scores.max()}')
        wrong = (1 - gt_prob) / max(num_labels - 1, 1)
        return -np.log(np.where(np.arange(num_labels)[:, None, None] == scores, gt_prob, wrong)).astype(np.float32)
    if scores.dtype.kind == 'f' and scores.ndim == 3 and len(scores):
        if num_labels not in (None, len(scores)):
            raise SettingError(f'{len(scores)} maps of probabilities do not fit num_labels {num_labels}')
        if not np.isfinite(scores).all():
            raise SettingError('probabilities must be finite, got NaN or infinity')
        return -np.log(np.clip(scores.astype(np.float32), 1e-5, 1))
    raise SettingError(
        f'scores must be integer labels (H, W) or float probabilities (L, H, W), got {scores.dtype} {scores.shape}'
    )


class _PydensecrfMeanField:
    """By pydensecrf, whose kernels belong to a number of labels."""

    def __init__(self, image: np.ndarray, params: CRFParams, _: torch.device) -> None:
        self.image = image
        self.params = params
        self.crfs: dict[int, Any] = {}

    def _crf(self, labels: int) -> Any:
        from pydensecrf.densecrf import DenseCRF2D

        if labels not in self.crfs:
            height, width = self.image.shape[:2]
            params, crf = self.params, DenseCRF2D(width, height, labels)
            if params.gaussian_compat:
                crf.addPairwiseGaussian(sxy=params.gaussian_sxy, compat=params.gaussian_compat)
            if params.bilateral_compat:
                crf.addPairwiseBilateral(
                    sxy=params.bilateral_sxy,
                    srgb=params.bilateral_srgb,
                    rgbim=self.image,
                    compat=params.bilateral_compat,
                )
            self.crfs[labels] = crf
        return self.crfs[labels]

    def __call__(self, energy: np.ndarray) -> np.ndarray:
        crf = self._crf(len(energy))
        crf.setUnaryEnergy(np.ascontiguousarray(energy.reshape(len(energy), -1)))
        return np.array(crf.inference(self.params.iterations), dtype=np.float32).reshape(energy.shape)


class _TorchMeanField:
    """By torch, on CPU or GPU."""

    def __init__(self, image: np.ndarray, params: CRFParams, device: torch.device) -> None:
        self.image = image
        self.params = params
        self.device = device

    @cached_property
    def kernels(self) -> list['_Kernel']:
        height, width = self.image.shape[:2]
        rows, columns = torch.meshgrid(
            torch.arange(height, device=self.device), torch.arange(width, device=self.device), indexing='ij'
        )
        position = torch.stack([columns, rows], -1).reshape(-1, 2).float()
        colour = torch.from_numpy(self.image).to(self.device).reshape(-1, 3).float()
        params, kernels = self.params, []
        if params.gaussian_compat:
            kernels.append(_Kernel(position / params.gaussian_sxy, params.gaussian_compat))
        if params.bilateral_compat:
            features = torch.cat([position / params.bilateral_sxy, colour / params.bilateral_srgb], 1)
            kernels.append(_Kernel(features, params.bilateral_compat))
        return kernels

    @torch.no_grad()
    def __call__(self, energy: np.ndarray) -> np.ndarray:
        # Pixels are rows to the kernels; a softmax over so few columns is slow, hence the maps (L, H * W) in between.
        unary = -torch.from_numpy(energy).to(self.device).reshape(len(energy), -1)
        belief = unary.softmax(0)
        for _ in range(self.params.iterations):
            rows = belief.T.contiguous()
            logits = unary.clone()
            for kernel in self.kernels:
                logits += kernel.message(rows).T
            belief = logits.softmax(0)
        return belief.reshape(energy.shape).cpu().numpy()


class _Kernel:
    """A Gaussian kernel with Potts compatibility and symmetric normalisation, as pydensecrf has them by default."""

    def __init__(self, features: torch.Tensor, compat: float) -> None:
        self.lattice = PermutohedralLattice(features)
        self.norm = self.lattice.filter(features.new_ones(len(features), 1)).rsqrt()
        self.compat = compat

    def message(self, belief: torch.Tensor) -> torch.Tensor:
        return self.lattice.filter(belief * self.norm).mul_(self.norm * self.compat)
