import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from mmamr.cams import enlarge_label, mix, upsample
from mmamr.fileio import read_rgb
from mmamr.refine import affinity_label_affinitynet, affinity_label_irnet, check_crf
from mmamr.registry import LOOPS
from mmamr.structures import CAM
from mmamr.utils import SettingError, check_choice, check_number

from .label_loop import LabelLoop

METHODS: dict[str, Callable[..., np.ndarray]] = {
    'irnet': affinity_label_irnet,
    'affinitynet': affinity_label_affinitynet,
}


def check_order(method: Callable[..., np.ndarray], options: dict[str, float]) -> None:
    """Refuse two thresholds, or two powers, that do not ascend; what is not given is the method's own.

    Raises:
        SettingError: Names both.
    """
    parameters = inspect.signature(method).parameters
    for low, high in (('bg_threshold', 'fg_threshold'), ('low_alpha', 'high_alpha')):
        if low in parameters:
            values = [options.get(name, parameters[name].default) for name in (low, high)]
            if values[0] > values[1]:
                raise SettingError(f'{low} must not be larger than {high}, but got {values[0]} and {values[1]}')


@LOOPS.register_module()
class AffinityLabelLoop(LabelLoop):
    """Make the affinity label of each image: where a CAM is surely foreground or background, else 255 (row P1).

    Args:
        *args: See :class:`LabelLoop`; labels stand in ``affinity_labels`` in the work folder.
        method (str): ``'irnet'``: two thresholds, :func:`mmamr.refine.affinity_label_irnet`. ``'affinitynet'``: two
            background powers, :func:`mmamr.refine.affinity_label_affinitynet`. Defaults to ``'irnet'``.
        fg_threshold, bg_threshold (float, optional): Of the method ``'irnet'``. Default to those of its function.
        low_alpha, high_alpha (float, optional): Of the method ``'affinitynet'``. Default to those of its function.
        crf (dict, optional): ``backend``, or single parameters of :func:`mmamr.refine.dense_crf`. Defaults to None:
            those of the method.
        **kwargs: See :class:`LabelLoop`.

    Raises:
        ValueError: If there is no such method, or an option is not one of its own.
    """

    name = 'affinity_labels'

    def __init__(
        self,
        *args: Any,
        method: str = 'irnet',
        fg_threshold: float | None = None,
        bg_threshold: float | None = None,
        low_alpha: float | None = None,
        high_alpha: float | None = None,
        crf: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        check_choice('method', method, METHODS)
        for name, value in (('fg_threshold', fg_threshold), ('bg_threshold', bg_threshold)):
            if value is not None:
                check_number(name, value, 0, 1)
        for name, value in (('low_alpha', low_alpha), ('high_alpha', high_alpha)):
            if value is not None:
                check_number(name, value, above=0)
        if crf is not None:
            check_crf('crf', crf)
        own = dict(
            irnet=dict(fg_threshold=fg_threshold, bg_threshold=bg_threshold),
            affinitynet=dict(low_alpha=low_alpha, high_alpha=high_alpha),
        )
        foreign = [
            name
            for other, options in own.items()
            if other != method
            for name, value in options.items()
            if value is not None
        ]
        if foreign:
            raise SettingError(f'{foreign[0]} is no option of the method {method!r}')
        self.method = method
        self.options = {name: value for name, value in own[method].items() if value is not None}
        check_order(METHODS[method], self.options)
        self.crf = dict(crf or {})

    def settings(self) -> dict[str, Any]:
        """The CAMs and how they become labels."""
        photos = self.photo_settings()
        return dict(super().settings(), method=self.method, **self.options, crf=self.crf, **photos)

    def label(self, cam: CAM, img_path: str) -> np.ndarray:
        """Label map ``(H, W)`` of one image: 0 background, c + 1 foreground, 255 unsure."""
        image = read_rgb(img_path, max_long_side=self.dataset.max_long_side)
        maps = upsample(mix(cam, self.xi), image.shape[:2])
        label = METHODS[self.method](image, maps, cam.classes, **self.options, **self.crf)
        return enlarge_label(label, cam.size)
