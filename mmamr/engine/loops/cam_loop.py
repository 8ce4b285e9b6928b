from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmamr.cams import Climbing, resize_cam
from mmamr.models.utils import folded_norms
from mmamr.registry import LOOPS
from mmamr.structures import CAM
from mmamr.utils import SettingError, check_choice, check_flag, check_keys, check_numbers
from mmamr.visualization import Row, cam_rows

from .image_files_loop import NetworkLoop, image_ids, own_sizes

PROBE_SIZE = 64
MOST = 16
"""The largest factor of an image's size."""
PRECISIONS = {'float32': None, 'bfloat16': torch.bfloat16, 'float16': torch.float16}


@LOOPS.register_module()
class CAMLoop(NetworkLoop):
    """Make the CAM file of each image, for the classes that its image-level labels name.

    Run by ``tools/test.py`` with a checkpoint of a classifier. A CAM does not depend on the batch size, the order or
    the number of processes; on a CPU, where images are taken one by one, to the last byte.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): See :class:`ImageFilesLoop`; images at their original size, but for
            ``max_long_side`` of the data set.
        evaluator (Evaluator | dict | list): Usually ``dict(type='CAMMetric')``.
        scales (Sequence[float]): Factors of the image's size. Defaults to the released code's seven (row C5).
        flip (bool): Whether the mirror image is added at each scale. Defaults to True.
        precision (str): Of the network: ``'float32'``, ``'bfloat16'`` or ``'float16'`` (GPU). Defaults to
            ``'float32'``.
        climb (dict, optional): Adversarial climbing (AdvCAM): arguments of :class:`~mmamr.cams.Climbing`, such as
            ``dict(steps=27, step_size=0.08)``. Defaults to None: no climbing.
        out_dir (str, optional): Folder of the CAM files. Defaults to None: ``cams`` in the work folder.
        redo (bool): See :class:`ImageFilesLoop`. Defaults to False.
    """

    name = 'cams'

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict,
        evaluator: Evaluator | dict | list,
        scales: Sequence[float] = (1.0, 0.5, 0.75, 1.25, 1.5, 1.75, 2.0),
        flip: bool = True,
        precision: str = 'float32',
        climb: dict | None = None,
        out_dir: str | None = None,
        redo: bool = False,
    ) -> None:
        super().__init__(runner, dataloader, evaluator, out_dir, redo)
        check_choice('precision', precision, PRECISIONS)
        check_numbers('scales', scales, above=0, high=MOST)
        check_flag('flip', flip)
        if climb is not None:
            check_keys('climb', climb, Climbing.__dataclass_fields__)
        if climb is not None and precision == 'float16':
            raise SettingError(
                "gradients of climbing are too small for float16: use precision='float32' or 'bfloat16' "
                '(test_cfg.precision)'
            )
        self.scales = tuple(scales)
        self.flip = flip
        self.precision = precision
        self.climbing = None if climb is None else Climbing(**climb)

    def settings(self) -> dict[str, Any]:
        """Weights of the model and how its maps are made."""
        climb = None if self.climbing is None else asdict(self.climbing)
        if climb is not None:
            del climb['max_batch']  # changes speed and memory, not the CAMs
        # CAMs of such a network were once those of a batch
        alone = dict(alone=True) if self.model.mixes_samples else {}
        return dict(
            **alone,
            **super().settings(),
            scales=self.scales,
            flip=self.flip,
            precision=self.precision,
            climb=climb,
        )

    def is_valid(self, index: int) -> bool:
        """Whether the CAM file is whole and has the image's size and labels."""
        classes = self.dataset.get_data_info(index)['gt_label']
        return self.files.is_valid(self.ids[index], self.dataset.get_image_size(index), classes)

    def make_files(self, pending: Sequence[int]) -> None:
        """Make the CAM files of these images."""
        self.model.to(memory_format=torch.channels_last)
        probe = torch.linspace(-2, 2, 3 * PROBE_SIZE**2).view(1, 3, PROBE_SIZE, PROBE_SIZE)
        with folded_norms(self.model, probe.to(next(self.model.parameters()).device)):
            super().make_files(pending)

    def make(self, data_batch: dict) -> dict[str, CAM]:
        """CAMs of a batch by image id."""
        dtype = PRECISIONS[self.precision]
        with torch.inference_mode(self.climbing is None):
            data = self.model.data_preprocessor(data_batch, False)
            images, samples = data['inputs'], data['data_samples']
            classes = [sample.gt_label.tolist() for sample in samples]
            sizes = own_sizes(samples, images)
            # On a CPU one by one, which takes no longer for photos: how a convolution rounds depends on the batch, and
            # so would the bytes of a run that was interrupted. Photos that were made smaller are large all the same.
            step = len(images) if images.is_cuda and set(sizes) == {tuple(images.shape[2:])} else 1
            cams: list[CAM] = []
            with torch.autocast(images.device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None):
                for first in range(0, len(images), step):
                    part = slice(first, first + step)
                    cams += self.model.make_cams(images[part], classes[part], self.scales, self.flip, self.climbing)
        cams = [resize_cam(cam, size, peak='class') for cam, size in zip(cams, sizes)]
        return dict(zip(image_ids(samples), cams))

    def rows(self, items: Sequence[dict[str, Any]]) -> list[Row]:
        """Image, CAMs and ground truth."""
        return cam_rows(self.dataset, self.out_dir, items)
