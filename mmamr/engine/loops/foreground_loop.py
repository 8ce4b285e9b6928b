import logging
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import DataLoader

from mmamr.cams import FeatureMoments, discriminant, foreground_of, mix, resize_cam, resize_images, spread_cam
from mmamr.fileio import folder_digest
from mmamr.models.classifiers import BaseCAMClassifier
from mmamr.registry import LOOPS
from mmamr.structures import CAM
from mmamr.utils import SettingError, check_number, raise_if_interrupted, track
from mmamr.visualization import Row, cam_rows

from .image_files_loop import NetworkLoop, image_ids, own_sizes

Axes = list[tuple[Tensor, Tensor]]


@LOOPS.register_module()
class ForegroundLoop(NetworkLoop):
    """Spread CAMs over whole objects, as earlier layers of their classifier see them in all photos together.

    Run by ``tools/test.py`` with the config and the checkpoint of the classifier, after its CAMs are there. In each
    round the features of a few layers, of the pixels of all photos, give Fisher's linear discriminant between what the
    CAMs of the round before cover and what they leave (:mod:`mmamr.cams.foreground`). Nothing is trained, no mask takes
    part. The files have the format of CAM files, with one branch ``foreground``; their bytes do not depend on batch
    size, order or number of processes (on a CPU).

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): See :class:`ImageFilesLoop`. All photos that there are CAMs of, as they are what
            the discriminant is learned from.
        evaluator (Evaluator | dict | list): Usually ``dict(type='CAMMetric')``.
        cam_dir (str): Folder of the CAM files.
        layers (Sequence[str]): Names of submodules of the spotlight's backbone. Those in the middle of a network serve
            best, at a stride of 16. Defaults to ``('layer2', 'layer3')``, a ResNet's.
        rounds (int): Discriminants after one another. Defaults to 2.
        weight (float): Of the foreground beside the CAM, in [0, 1]. Defaults to 0.8.
        regularization (float): See :func:`mmamr.cams.discriminant`. Defaults to 0.1.
        scale (float): Factor of the image's size for the network. Defaults to 1.
        xi (float): Recalibration coefficient ξ (eq. 2). Defaults to 0.5.
        out_dir (str, optional): Folder of the files. Defaults to None: ``foreground`` in the work folder.
        redo (bool): See :class:`ImageFilesLoop`. Defaults to False.

    Raises:
        InputError: If ``cam_dir`` is None, or the backbone has no such layer.
    """

    name = 'foreground'

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict,
        evaluator: Evaluator | dict | list,
        cam_dir: str | None = None,
        layers: Sequence[str] = ('layer2', 'layer3'),
        rounds: int = 2,
        weight: float = 0.8,
        regularization: float = 0.1,
        scale: float = 1.0,
        xi: float = 0.5,
        out_dir: str | None = None,
        redo: bool = False,
    ) -> None:
        super().__init__(runner, dataloader, evaluator, out_dir, redo)
        self.cams = self.open_cams(cam_dir)
        check_number('rounds', rounds, 1, whole=True)
        check_number('weight', weight, 0, 1)
        check_number('regularization', regularization, above=0)
        check_number('scale', scale, above=0, high=16)
        check_number('xi', xi, 0, 1)
        self.layers = tuple([layers] if isinstance(layers, str) else layers)
        if not isinstance(self.model, BaseCAMClassifier):
            raise SettingError('ForegroundLoop needs the classifier that made the CAMs: its config and its checkpoint')
        branch = getattr(self.model, self.model.branches[0])
        known = {name for name, _ in branch.backbone.named_modules() if name}
        for layer in self.layers:
            if layer not in known:
                stages = sorted(name for name in known if '.' not in name)
                raise SettingError(f'layers: the backbone has no {layer}; it has {", ".join(stages)}')
        if not self.layers:
            raise SettingError('layers names no layer of the backbone')
        self.rounds = rounds
        self.weight = weight
        self.regularization = regularization
        self.scale = scale
        self.xi = xi

    def settings(self) -> dict[str, Any]:
        """Weights of the model, the CAMs, and how they are spread."""
        return dict(
            **super().settings(),
            cams=folder_digest(self.cams.folder),
            layers=self.layers,
            rounds=self.rounds,
            weight=self.weight,
            regularization=self.regularization,
            scale=self.scale,
            xi=self.xi,
        )

    def make_files(self, pending: Sequence[int]) -> None:
        """Learn the discriminants from all photos of the data set, then make these files."""
        self.axes: list[Axes] = []
        for number in range(1, self.rounds + 1):
            axes = self.learn(f'{self.name}, round {number} of {self.rounds}')
            if axes is None:
                print_log(
                    f'{self.out_dir}: the CAMs cover everything or nothing, so that nothing tells objects from '
                    'background: the CAMs stay as they are',
                    'current',
                    logging.WARNING,
                )
                break
            self.axes.append(axes)
        super().make_files(pending)

    @torch.inference_mode()
    def learn(self, description: str) -> Axes | None:
        """The discriminant of each layer between what the maps of the last round cover and what they leave; None where
        there is none."""
        moments = [FeatureMoments() for _ in self.layers]
        self.dataloader.batch_sampler.pending = set(range(len(self.dataset)))
        for data_batch in track(self.dataloader, description):
            raise_if_interrupted()
            for _, _, cam, features in self.photos(data_batch):
                scores = torch.from_numpy(mix(self.spread(cam, features), self.xi))
                if len(scores) == 0:
                    continue  # no tag says what its objects are
                covered = scores.amax(0)[None, None]
                for maps, sums in zip(features, moments):
                    own = F.interpolate(covered, maps.shape[1:], mode='bilinear', align_corners=False, antialias=True)
                    sums.add(maps, own[0, 0].to(maps.device))
        axes = []
        for layer, sums in zip(self.layers, moments):
            total = sums.sums
            if total is None:  # of this process
                total = self.empty_sums(layer)
            all_reduce(total)
            axis = discriminant(FeatureMoments(total), self.regularization)
            if axis is None:
                return None
            axes.append(axis)
        print_log(f'{self.out_dir}: learned {description}', 'current')
        return axes

    def empty_sums(self, layer: str) -> Tensor:
        """The sums of a process that had no photo, to be added to those of the others."""
        parameter = next(self.model.parameters())
        probe = parameter.new_zeros(1, 3, 64, 64)
        channels = self.model.layer_maps(probe, [layer])[0].shape[1]
        return torch.zeros(channels + 3, channels, dtype=torch.int64)

    def photos(self, data_batch: dict) -> Iterator[tuple[str, tuple[int, int], CAM, list[Tensor]]]:
        """Id, size, CAM and features of each photo of a batch; one by one, as in the CAM stage."""
        data = self.model.data_preprocessor(data_batch, False)
        samples, images = data['data_samples'], data['inputs']
        bound = tuple(images.shape[2:])
        for img_id, size, image in zip(image_ids(samples), own_sizes(samples, images), images):
            cam = resize_cam(self.cams.read(img_id, size), bound)
            features = self.model.layer_maps(resize_images(image[None], self.scale), self.layers)
            for layer, maps in zip(self.layers, features):
                if not isinstance(maps, Tensor) or maps.ndim != 4 or maps.shape[1] < 2:
                    raise SettingError(f'layers: {layer} gives no map of several channels: choose another layer')
            yield img_id, size, cam, [maps[0].float() for maps in features]

    def spread(self, cam: CAM, features: Sequence[Tensor]) -> CAM:
        """The CAM after the rounds so far."""
        maps = mix(cam, self.xi)
        if not self.axes:
            return CAM({self.name: maps}, cam.classes, cam.size)
        return spread_cam(cam, maps, foreground_of(features, self.axes[-1], maps.shape[1:]), self.weight)

    @torch.inference_mode()
    def make(self, data_batch: dict) -> dict[str, CAM]:
        """The spread CAMs of a batch, by image id."""
        return {
            img_id: resize_cam(self.spread(cam, features), size, peak='class')
            for img_id, size, cam, features in self.photos(data_batch)
        }

    def rows(self, items: Sequence[dict[str, Any]]) -> list[Row]:
        """Image, spread CAM and ground truth."""
        return cam_rows(self.dataset, self.out_dir, items)
