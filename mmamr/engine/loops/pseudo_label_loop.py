from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import barrier, get_dist_info
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from torch.utils.data import DataLoader

from mmamr.cams import CAM, cam_is_valid, label_of_walk, read_cam, walk_cam, write_cam
from mmamr.datasets.images import read_mask
from mmamr.registry import LOOPS
from mmamr.utils import InputError, track, write_png

from .affinity_label_loop import label_is_valid
from .image_files_loop import ImageFilesLoop, image_ids
from .output_folder import SETTINGS, OutputFolder, folder_digest, state_digest


@LOOPS.register_module()
class PseudoLabelLoop(ImageFilesLoop):
    """Walk each CAM over the affinities of its image, and make the pseudo labels of a data set.

    Two folders are filled. ``walks``: the scores after the walk in the format of the CAM file, so that thresholds and
    powers can be swept without another walk. ``SegmentationClassPseudo``: one palette PNG with the data set's class
    values for each image of the split, in VOC's layout. The CAMs may be anyone's: see :mod:`mmamr.cams.files`.

    Args:
        runner (Runner): The runner; its model is :class:`~mmamr.models.IRNet` or :class:`~mmamr.models.AffinityNet`.
        dataloader (DataLoader | dict): See :class:`ImageFilesLoop`; images at their original size.
        evaluator (Evaluator | dict | list): Usually ``CAMMetric``, which sweeps the walks, and ``LabelMetric``.
        cam_dir (str): Folder of the CAM files.
        xi (float): Recalibration coefficient ξ (eq. 2). Defaults to 0.5.
        cam_power (float): Power of the CAM before the walk; the released AMR has 1.5 (row P2). Defaults to 1.
        threshold (float, optional): Background threshold of the labels, in [0, 1] of the largest score of the
            image. Defaults to 0.25.
        powers (Sequence[float], optional): Instead of a threshold the background (1 - max CAM)^power walks too, as in
            AffinityNet; one map for each of these powers is kept. Defaults to None.
        power (float, optional): The one of ``powers`` that makes the labels. Defaults to None: the first.
        unsure (tuple[float, float], optional): Pixels whose score lies between these two thresholds become 255.
            Defaults to None: none do.
        out_dir (str, optional): Folder of the PNGs. Defaults to None: ``SegmentationClassPseudo`` in the work folder.
        walk_dir (str, optional): Folder of the scores. Defaults to None: ``walks`` in the work folder.
    """

    name = 'walks'
    suffix = '.npz'

    def __init__(
        self,
        runner,
        dataloader: DataLoader | dict,
        evaluator: Evaluator | dict | list,
        cam_dir: str,
        xi: float = 0.5,
        cam_power: float = 1.0,
        threshold: float = 0.25,
        powers: Sequence[float] | None = None,
        power: float | None = None,
        unsure: tuple[float, float] | None = None,
        out_dir: str | None = None,
        walk_dir: str | None = None,
    ) -> None:
        super().__init__(runner, dataloader, evaluator, walk_dir)
        if powers is None and power is not None:
            raise ValueError('power chooses one of powers, but powers is None')
        self.powers = None if powers is None else tuple(sorted(powers, reverse=True))
        self.power = power if power is not None or powers is None else powers[0]
        if self.powers is not None and self.power not in self.powers:
            raise ValueError(f'power must be one of {self.powers}, but got {power}')
        if unsure is not None and (self.powers is not None or not 0 <= unsure[0] <= unsure[1] <= 1):
            raise ValueError(f'unsure must be two ascending thresholds, without powers, but got {unsure}')
        self.cam_dir = cam_dir
        self.xi = xi
        self.cam_power = cam_power
        self.threshold = threshold
        self.unsure = unsure
        self.label_dir = out_dir or self.default_out_dir(runner.work_dir)

    @classmethod
    def default_out_dir(cls, work_dir: str) -> str:
        """The folder of the labels that ``out_dir`` means where it is None."""
        return f'{work_dir}/SegmentationClassPseudo'

    def settings(self) -> dict[str, Any]:
        """Weights of the model, CAMs and how the walk starts."""
        return dict(
            model=state_digest(self.model),
            config=str(self.runner.cfg.get('model')),
            pipeline=str(self.runner.cfg.test_dataloader.dataset.get('pipeline')),
            cams=folder_digest(self.cam_dir),
            xi=self.xi,
            cam_power=self.cam_power,
            powers=self.powers,
        )

    def is_valid(self, path: str, index: int) -> bool:
        """Whether the scores are whole and of the image's size."""
        return cam_is_valid(path, self.dataset.get_image_size(index))

    @torch.inference_mode()
    def make(self, data_batch: dict) -> dict[str, CAM]:
        """Walks of a batch by image id."""
        data = self.model.data_preprocessor(data_batch, False)
        ids, images = image_ids(data['data_samples']), data['inputs']
        return {
            img_id: self.walk(read_cam(f'{self.cam_dir}/{img_id}.npz'), affinity, tuple(images.shape[2:]))
            for img_id, affinity in zip(ids, self.model.affinity(images))
        }

    def walk(self, cam: CAM, affinity: dict[str, torch.Tensor], size: tuple[int, int]) -> CAM:
        """The scores of one image after the walk, the largest 1."""
        if cam.size != size:
            raise InputError(
                f'a CAM in {self.cam_dir} was made of an image of {cam.size}, but the image has {size}: '
                'make the CAMs of this data set again'
            )
        device = next(iter(affinity.values())).device
        return walk_cam(
            cam, lambda scores: self.model.walk(scores, affinity), self.xi, self.cam_power, self.powers, device
        )

    def write(self, path: str, result: CAM) -> None:
        """Write the scores."""
        write_cam(path, result)

    def make_missing(self) -> None:
        """Make the walks that are missing, then the labels."""
        super().make_missing()
        with open(f'{self.folder.folder}/{SETTINGS}', encoding='utf-8') as file:
            walks = file.read()
        labels = OutputFolder(
            self.label_dir, '.png', dict(walks=walks, threshold=self.threshold, power=self.power, unsure=self.unsure)
        )
        labels.prepare()
        pending = labels.pending(
            len(self.ids),
            lambda index: label_is_valid(
                labels.path(self.ids[index]), self.dataset.class_index, self.dataset.get_image_size(index)
            ),
        )
        print_log(
            f'{self.label_dir}: {len(self.ids) - len(pending)} of {len(self.ids)} pseudo labels are there, '
            f'{len(pending)} to make',
            'current',
        )
        rank, world_size = get_dist_info()
        class_index = self.dataset.class_index
        for index in track(pending[rank::world_size], 'pseudo labels'):
            label = self.label(read_cam(self.folder.path(self.ids[index])))
            write_png(labels.path(self.ids[index]), class_index.decode_mask(label), class_index.png_palette)
        self.labels = labels
        barrier()

    def label(self, walk: CAM) -> np.ndarray:
        """Label map uint8 ``(H, W)`` of one image: 0 background, c + 1 foreground, 255 unsure."""
        return label_of_walk(walk, self.threshold, self.power, self.unsure)

    def read_sample(self, img_id: str, mask: np.ndarray) -> dict[str, Any]:
        """Walk, label and mask, for :class:`~mmamr.evaluation.CAMMetric` and :class:`~mmamr.evaluation.LabelMetric`."""
        label = read_mask(self.labels.path(img_id), self.dataset.class_index, mask.shape)
        return dict(cam=read_cam(self.folder.path(img_id)), label=label, mask=mask)
