from typing import Any

import numpy as np

from mmamr.cams import label_of_cam, mix, upsample
from mmamr.fileio import read_image
from mmamr.refine import check_crf, crf_label
from mmamr.registry import LOOPS
from mmamr.structures import CAM
from mmamr.utils import SettingError, check_number, check_numbers

from .label_loop import LabelLoop


@LOOPS.register_module()
class PseudoLabelLoop(LabelLoop):
    """Make the pseudo label of each image from its CAM, or from the scores after a random walk.

    One palette PNG with the data set's class values for each image of the split, in VOC's layout.

    Args:
        *args: See :class:`LabelLoop`; ``cam_dir`` is a folder of CAMs or of walks, and labels stand in
            ``SegmentationClassPseudo`` in the work folder.
        threshold (float): Background threshold, in [0, 1] of the largest score. Defaults to 0.2 (row C6).
        power (float, optional): Of walks that carried the background along (``powers`` of :class:`WalkLoop`): the power
            whose background takes the place of the threshold. Defaults to None.
        unsure (tuple[float, float], optional): Pixels whose score lies between these two thresholds become 255.
            Defaults to None: none do.
        crf (dict, optional): A dense CRF fits the thresholded scores to the photo, the "CAM + CRF" of the field's
            tables: ``backend``, or single parameters of :func:`mmamr.refine.dense_crf`; an empty dict takes IRNet's.
            Defaults to None: there is none.
        **kwargs: See :class:`LabelLoop`.

    Raises:
        ValueError: If the options do not fit together.
    """

    name = 'SegmentationClassPseudo'

    def __init__(
        self,
        *args: Any,
        threshold: float = 0.2,
        power: float | None = None,
        unsure: tuple[float, float] | None = None,
        crf: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        check_number('threshold', threshold, 0, 1)
        if power is not None:
            check_number('power', power, above=0)
        if unsure is not None:
            check_numbers('unsure', unsure, 0, 1, least=2, ascending=True)
            if len(unsure) > 2:
                raise SettingError(f'unsure must be two thresholds, but got {unsure}')
        if crf is not None:
            check_crf('crf', crf)
        if sum(option is not None for option in (power, unsure, crf)) > 1:
            raise SettingError('only one of power, unsure and crf can be given')
        self.threshold = threshold
        self.power = power
        self.unsure = unsure
        self.crf = crf

    def settings(self) -> dict[str, Any]:
        """The scores and how they become labels."""
        options = dict(threshold=self.threshold, power=self.power, unsure=self.unsure, crf=self.crf)
        return dict(super().settings(), **options)

    def label(self, cam: CAM, img_path: str) -> np.ndarray:
        """Label map ``(H, W)`` of one image: 0 background, c + 1 foreground, 255 unsure."""
        if self.crf is None:
            return label_of_cam(cam, self.threshold, self.xi, self.power, self.unsure)
        image = np.ascontiguousarray(read_image(img_path)[..., ::-1])
        return crf_label(image, upsample(mix(cam, self.xi), cam.size), cam.classes, self.threshold, **self.crf)
