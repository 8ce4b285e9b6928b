from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmamr.cams import resize_cam, walk_cam
from mmamr.fileio import folder_digest
from mmamr.registry import LOOPS
from mmamr.structures import CAM
from mmamr.utils import SettingError, check_number, check_numbers
from mmamr.visualization import Row, affinity_rows

from .image_files_loop import NetworkLoop, image_ids, own_sizes


@LOOPS.register_module()
class WalkLoop(NetworkLoop):
    """Let the CAMs of a data set walk over the affinities of their images.

    Run by ``tools/test.py`` with a checkpoint of an :class:`~mmamr.models.IRNet` or
    :class:`~mmamr.models.AffinityNet`. The scores after the walk have the format of the CAM file, so that thresholds
    and powers can be swept without another walk; :class:`PseudoLabelLoop` makes labels of them. The CAMs may be
    anyone's: see :mod:`mmamr.fileio.cam_file`.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): See :class:`ImageFilesLoop`; images at their original size, but for
            ``max_long_side`` of the data set.
        evaluator (Evaluator | dict | list): Usually ``dict(type='CAMMetric', prefix='walk')``, which sweeps thresholds.
        cam_dir (str): Folder of the CAM files.
        xi (float): Recalibration coefficient ξ (eq. 2). Defaults to 0.5.
        cam_power (float): Power of the CAM before the walk; the released AMR has 1.5 (row P2). Defaults to 1.
        powers (Sequence[float], optional): The background (1 - max CAM)^power walks too, as in AffinityNet; one map for
            each of these powers is kept. Defaults to None.
        out_dir (str, optional): Folder of the scores. Defaults to None: ``walks`` in the work folder.
        redo (bool): See :class:`ImageFilesLoop`. Defaults to False.

    Raises:
        InputError: If ``cam_dir`` is None.
    """

    name = 'walks'

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict,
        evaluator: Evaluator | dict | list,
        cam_dir: str | None = None,
        xi: float = 0.5,
        cam_power: float = 1.0,
        powers: Sequence[float] | None = None,
        out_dir: str | None = None,
        redo: bool = False,
    ) -> None:
        super().__init__(runner, dataloader, evaluator, out_dir, redo)
        self.cams = self.open_cams(cam_dir)
        check_number('xi', xi, 0, 1)
        check_number('cam_power', cam_power, above=0)
        if powers is not None:
            check_numbers('powers', powers, above=0)
            if len(set(powers)) < len(powers):
                raise SettingError(f'powers must differ, but got {powers}')
        self.xi = xi
        self.cam_power = cam_power
        self.powers = None if powers is None else tuple(sorted(powers, reverse=True))

    def settings(self) -> dict[str, Any]:
        """Weights of the model, CAMs and how the walk starts."""
        return dict(
            **super().settings(),
            cams=folder_digest(self.cams.folder),
            xi=self.xi,
            cam_power=self.cam_power,
            powers=self.powers,
        )

    @torch.inference_mode()
    def make(self, data_batch: dict) -> dict[str, CAM]:
        """Scores of a batch after the walk, by image id; the largest of an image is 1."""
        data = self.model.data_preprocessor(data_batch, False)
        samples, images = data['data_samples'], data['inputs']
        sizes = own_sizes(samples, images)
        bound = tuple(images.shape[2:])
        # photos that had to be made smaller are large all the same, and taken one by one
        step = len(images) if set(sizes) == {bound} else 1
        parts = (images[first : first + step] for first in range(0, len(images), step))
        affinities = (affinity for part in parts for affinity in self.model.affinity(part))
        walks = {}
        for img_id, size, affinity in zip(image_ids(samples), sizes, affinities):
            walk = walk_cam(
                resize_cam(self.cams.read(img_id, size), bound),
                partial(self.model.walk, affinity=affinity),
                self.xi,
                self.cam_power,
                self.powers,
                next(iter(affinity.values())).device,
            )
            walks[img_id] = resize_cam(walk, size, peak='image')
        return walks

    def rows(self, items: Sequence[dict[str, Any]]) -> list[Row]:
        """Image, CAM, class boundaries, displacements, walk, label at the default threshold and ground truth."""
        return affinity_rows(
            self.model, self.dataset, self.cams.folder, items, self.xi, self.cam_power, powers=self.powers
        )
