"""Inferencers in the manner of mmengine: photos in, predictions and pictures out."""

import os
import os.path as osp
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.infer import BaseInferencer as MMEngineInferencer
from mmengine.model import BaseModel, BaseTTAModel
from mmengine.registry import DefaultScope
from mmengine.structures import BaseDataElement, PixelData
from mmpretrain.structures import DataSample
from mmseg.models.segmentors import BaseSegmentor
from mmseg.structures import SegDataSample
from torch import Tensor

from mmamr.cams import Climbing
from mmamr.compat import inference_pipeline
from mmamr.datasets import InferencerLoader, load_config
from mmamr.engine.test_time import keep_photo, views_pipeline
from mmamr.fileio import write_cam
from mmamr.models import BaseCAMClassifier, TestTimeSegmentor
from mmamr.models.utils import build_model, class_numbers, preprocess
from mmamr.structures import CAM, MaskClasses
from mmamr.utils import InputError, evaluating, track, write_png
from mmamr.visualization import CAMLocalVisualizer, Row, cam_row, draw_sheet, label_row, save_picture
from mmamr.visualization.sheet import safe_name

from .inference import config_in
from .inputs import Photo, list_photos, read_photo, result_names

TEST_TIME: dict[str, Any] = dict(
    scales=(0.5, 0.75, 1.0, 1.25, 1.5),
    crf_params=dict(
        iterations=10, gaussian_sxy=1, gaussian_compat=3, bilateral_sxy=67, bilateral_srgb=3, bilateral_compat=4
    ),
)
"""What ``test_time`` of a config means where the config has none: as ``configs/_base_/segmentation_runtime.py``."""


SLIM = 8
"""Pixels that a side of an image has at least when a segmentation model looks at it."""


def choose_device(device: str | torch.device | None = None) -> torch.device:
    """The device that is named; None or 'auto' is a GPU where there is one.

    Raises:
        InputError: If there is no such device.
    """
    if device in (None, 'auto'):
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        reason = (str(error).splitlines() or [''])[0]
        raise InputError(f'device {device}: not there ({reason}); name cpu, or cuda where there is a GPU') from None
    return chosen


def same_size_batches(images: Iterable[np.ndarray], batch_size: int) -> Iterator[list[np.ndarray]]:
    """Images in a row that have one size, ``batch_size`` of them at most.

    Raises:
        ValueError: If ``batch_size`` is not positive.
    """
    if batch_size < 1:
        raise ValueError(f'batch_size must be 1 at least, but got {batch_size}')
    batch: list[np.ndarray] = []
    for image in images:
        if batch and (len(batch) == batch_size or batch[0].shape != image.shape):
            yield batch
            batch = []
        batch.append(image)
    if batch:
        yield batch


class Inferencer(MMEngineInferencer):
    """What the inferencers share: where the model comes from, how photos are read, and where results go.

    Args:
        model (str | PathLike | Config | BaseModel, optional): A config, its file, a name of ``model-index.yml``, a
            model of :func:`init_model`, or a checkpoint. Defaults to None: the config in the checkpoint, which is read
            as data and never run.
        weights (str | PathLike, optional): The checkpoint. Defaults to None: the model is taken as it is.
        device (str | torch.device, optional): Where to compute. Defaults to None: a GPU where there is one.
        scope (str): Where names of models are looked up. Defaults to 'mmamr'.
        show_progress (bool): Whether a terminal shows a progress bar. Defaults to True.

    Raises:
        FileNotFoundError: If a file is missing.
        InputError: If the checkpoint is not one of the model, or the model none of this inferencer.
    """

    preprocess_kwargs: set = {'channel_order'}
    visualize_kwargs: set = {'show', 'wait_time', 'draw_pred', 'img_out_dir', 'return_vis'}
    postprocess_kwargs: set = {'pred_out_dir', 'print_result'}

    kind: type
    """What the model must be."""

    def __init__(
        self,
        model: str | os.PathLike | Config | BaseModel | None = None,
        weights: str | os.PathLike | None = None,
        device: str | torch.device | None = None,
        scope: str = 'mmamr',
        show_progress: bool = True,
    ) -> None:
        self.scope = scope
        self.show_progress = show_progress
        if isinstance(model, (str, os.PathLike)) and osp.splitext(model)[1] == '.pth':
            if weights is not None:
                raise InputError(
                    f'{os.fspath(model)} is a checkpoint, and so is {os.fspath(weights)}: name one of them'
                )
            model, weights = None, model
        if isinstance(model, BaseModel):
            self.cfg, built = getattr(model, 'cfg', None) or Config(), model
            if device is not None:
                built = built.to(choose_device(device))
        else:
            self.cfg = self._config(model, weights)
            built = build_model(self.cfg, weights, choose_device(device))
        self.model = built.module if isinstance(built, BaseTTAModel) else built
        if not isinstance(self.model, self.kind):
            raise InputError(
                f'{os.fspath(weights or "the model")} is a {type(self.model).__name__}, which '
                f'{type(self).__name__} cannot use; it takes a {self.kind.__name__}'
            )
        self.classes = self._classes()
        self.pipeline = self._init_pipeline(self.cfg)
        self.collate_fn = pseudo_collate
        self.visualizer = self._init_visualizer(self.cfg)
        self.num_results = 0

    def _config(self, model: Any, weights: str | os.PathLike | None) -> Config:
        if model is None:
            if weights is None:
                raise InputError('neither a model nor weights are named: name a checkpoint')
            return config_in(weights)
        if isinstance(model, (str, os.PathLike)) and not osp.splitext(model)[1] and '::' not in str(model):
            # a name of model-index.yml; weights are the user's own
            return self._load_model_from_metafile(str(model))[0]
        return load_config(model)

    @abstractmethod
    def _classes(self) -> MaskClasses:
        """The classes of the masks."""

    def _init_visualizer(self, cfg: Config) -> CAMLocalVisualizer:
        visualizer = CAMLocalVisualizer(name=f'{type(self).__name__}-{id(self)}')
        return visualizer

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def __call__(
        self,
        inputs: Photo | Sequence[Photo],
        return_datasamples: bool = False,
        batch_size: int = 1,
        return_vis: bool = False,
        show: bool = False,
        wait_time: float = 0,
        draw_pred: bool = True,
        out_dir: str = '',
        img_out_dir: str = 'vis',
        pred_out_dir: str = 'preds',
        no_save_vis: bool = False,
        no_save_pred: bool = False,
        print_result: bool = False,
        **kwargs: Any,
    ) -> dict[str, list]:
        """Predict photos.

        Args:
            inputs (str | PathLike | np.ndarray | PIL.Image.Image | Tensor | Sequence): One or several photos: files,
                folders, uint8 arrays ``(H, W, 3)``, PIL images, RGB tensors ``(3, H, W)``.
            return_datasamples (bool): Whether predictions are data samples instead of dicts. Defaults to False.
            batch_size (int): How many photos at once, of those in a row that have one size. It changes nothing but
                rounding. Defaults to 1.
            return_vis (bool): Whether pictures are returned. Defaults to False.
            show (bool): Whether each picture is shown in a window. Defaults to False.
            wait_time (float): For so many seconds; 0 is until a key is pressed. Defaults to 0.
            draw_pred (bool): Whether pictures show the prediction beside the photo. Defaults to True.
            out_dir (str): Folder for results. Defaults to '': none are written.
            img_out_dir (str): Folder in it for pictures. Defaults to 'vis'.
            pred_out_dir (str): Folder in it for predictions. Defaults to 'preds'.
            no_save_vis (bool): Whether pictures are left out. Defaults to False.
            no_save_pred (bool): Whether predictions are left out. Defaults to False.
            print_result (bool): Whether each prediction is printed. Defaults to False.
            **kwargs: ``channel_order`` of arrays, 'bgr' or 'rgb' ('bgr' if it is not given), and what the inferencer
                takes besides.

        Returns:
            dict[str, list]: ``predictions`` and ``visualization``, a list each, in the order of the photos; pictures
            are there with ``return_vis`` only.

        Raises:
            DatasetError: If a file is missing or broken.
        """
        kwargs.update(
            show=show,
            wait_time=wait_time,
            draw_pred=draw_pred,
            return_vis=return_vis,
            print_result=print_result,
            img_out_dir=osp.join(out_dir, img_out_dir) if out_dir and not no_save_vis else '',
            pred_out_dir=osp.join(out_dir, pred_out_dir) if out_dir and not no_save_pred else '',
        )
        for_reading, for_model, for_pictures, for_results = self._dispatch_kwargs(**kwargs)
        photos = list_photos(inputs)
        names = self._names(photos)
        results: dict[str, list] = dict(predictions=[], visualization=[])
        done = 0
        reader = (read_photo(photo, **for_reading) for photo in photos)
        progress = track(reader, 'photos', len(photos)) if self.show_progress else reader
        for images, samples in self.stream(progress, batch_size, **for_model):
            titles = names[done : done + len(images)]
            pictures = self.visualize(images, samples, names=titles, **for_pictures)
            results['visualization'] += pictures
            part = self.postprocess(samples, pictures, return_datasamples, names=titles, **for_results)
            results['predictions'] += part['predictions']
            done += len(images)
        return results

    def _names(self, photos: Sequence[Photo]) -> list[str]:
        """What the results of photos are called."""
        named = []
        for photo in photos:
            if isinstance(photo, (str, os.PathLike)):
                name = osp.basename(photo)
            else:
                name = f'{self.num_results:08d}.png'
            self.num_results += 1
            named.append((name, os.fspath(photo) if isinstance(photo, (str, os.PathLike)) else osp.join(os.sep, name)))
        return result_names(named)

    def stream(
        self, images: Iterable[np.ndarray], batch_size: int = 1, **kwargs: Any
    ) -> Iterator[tuple[list[np.ndarray], list]]:
        """Predict photos one after the other, as they come.

        Args:
            images (Iterable[np.ndarray]): RGB uint8 ``(H, W, 3)``.
            batch_size (int): How many at once, of those in a row that have one size. Defaults to 1.
            **kwargs: Of :meth:`forward`.

        Yields:
            tuple[list[np.ndarray], list[BaseDataElement]]: Some photos, and what is predicted of each.

        Raises:
            ValueError: If ``batch_size`` is not positive.
        """
        for batch in same_size_batches(images, batch_size):
            yield batch, self.forward(batch, **kwargs)

    @abstractmethod
    def row(self, image: np.ndarray, sample: BaseDataElement, title: str) -> Row:
        """A photo and its prediction side by side."""

    def visualize(
        self,
        inputs: list[np.ndarray],
        preds: list[BaseDataElement],
        names: Sequence[str] = (),
        show: bool = False,
        wait_time: float = 0,
        draw_pred: bool = True,
        img_out_dir: str = '',
        return_vis: bool = False,
    ) -> list[np.ndarray]:
        """Draw predictions; the arguments are those of :meth:`__call__`."""
        pictures: list[np.ndarray] = []
        if not (show or img_out_dir or return_vis):
            return pictures
        for image, sample, name in zip(inputs, preds, names or [''] * len(inputs)):
            row = self.row(image, sample, name) if draw_pred else Row({'image': image}, name)
            picture = draw_sheet([row])
            if img_out_dir:
                save_picture(osp.join(img_out_dir, f'{safe_name(name)}.png'), picture)
            if show:
                self.visualizer.show(picture, win_name=name, wait_time=wait_time)
            if return_vis:
                pictures.append(picture)
        return pictures

    @abstractmethod
    def as_dict(self, sample: BaseDataElement) -> dict[str, Any]:
        """A prediction as arrays and plain values."""

    @abstractmethod
    def save(self, sample: BaseDataElement, path: str) -> None:
        """Write a prediction to a file; ``path`` is without suffix."""

    def postprocess(
        self,
        preds: list[BaseDataElement],
        visualization: list[np.ndarray],
        return_datasamples: bool = False,
        names: Sequence[str] = (),
        pred_out_dir: str = '',
        print_result: bool = False,
    ) -> dict[str, list]:
        """Write and pack predictions; the arguments are those of :meth:`__call__`."""
        for sample, name in zip(preds, names or [''] * len(preds)):
            if pred_out_dir:
                self.save(sample, osp.join(pred_out_dir, safe_name(name)))
            if print_result:
                print(f'{name}: {self.summary(sample)}')
        predictions = list(preds) if return_datasamples else [self.as_dict(sample) for sample in preds]
        return dict(predictions=predictions, visualization=visualization)

    @abstractmethod
    def summary(self, sample: BaseDataElement) -> str:
        """A prediction in a few words."""


class SegInferencer(Inferencer):
    """Masks of photos from a segmentation model of mmseg.

    Args:
        model (str | PathLike | Config | BaseModel, optional): See :class:`Inferencer`.
        weights (str | PathLike, optional): See :class:`Inferencer`.
        test_time (bool): Whether several scales and mirror images are averaged and a dense CRF follows, as the config's
            ``test_time`` says; slower and better. Defaults to False.
        **kwargs: Of :class:`Inferencer`.

    Examples:
        >>> inferencer = SegInferencer('work_dirs/photos/segmentation/iter_400.pth')
        >>> mask = inferencer('photo.jpg')['predictions'][0]['sem_seg']  # (H, W), 0 is the background
        >>> inferencer('photos', out_dir='masks', batch_size=4)
    """

    kind = BaseSegmentor

    def __init__(
        self,
        model: str | os.PathLike | Config | BaseModel | None = None,
        weights: str | os.PathLike | None = None,
        test_time: bool = False,
        **kwargs: Any,
    ) -> None:
        self.test_time = test_time
        super().__init__(model, weights, **kwargs)
        self.merger = TestTimeSegmentor(self.model, self.options['crf'] if test_time else None)

    @property
    def options(self) -> dict[str, Any]:
        """The scales, mirror images and CRF of ``test_time``."""
        given = self.cfg.get('test_time') or {}
        return dict(
            scales=tuple(given.get('scales') or TEST_TIME['scales']),
            flip=True,
            crf=dict(given.get('crf_params') or TEST_TIME['crf_params']),
        )

    def _classes(self) -> MaskClasses:
        return MaskClasses.of_meta(getattr(self.model, 'dataset_meta', None) or {}, self.model.num_classes)

    def _init_pipeline(self, cfg: Config) -> Compose:
        steps = inference_pipeline(cfg)
        if steps is None:
            # mmseg's own: photos come as arrays
            given = ((cfg.get('test_dataloader') or {}).get('dataset') or {}).get('pipeline') or ()
            own = [dict(step) for step in given or cfg.get('test_pipeline') or ()]
            steps = [dict(type='mmamr.InferencerLoader')]
            steps += [step for step in own if not step['type'].split('.')[-1].startswith('Load')]
            if len(steps) == 1:
                steps.append(dict(type='mmseg.PackSegInputs'))
        for step in steps:
            if step['type'].endswith('InferencerLoader'):
                self.loader = InferencerLoader(**{key: value for key, value in step.items() if key != 'type'})
        if self.test_time:
            steps = keep_photo(steps)
        views = views_pipeline(
            steps,
            scales=self.options['scales'] if self.test_time else (1.0,),
            flip=self.test_time and self.options['flip'],
        )
        with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmseg'):
            return Compose(views)

    @torch.inference_mode()
    def probabilities(self, inputs: Sequence[np.ndarray]) -> list[Tensor]:
        """Class probabilities of photos of one size.

        Args:
            inputs (Sequence[np.ndarray]): RGB uint8 ``(H, W, 3)``.

        Returns:
            list[Tensor]: ``(C, h, w)`` each, at the size that photos are worked on at.
        """
        # all views are added up at that size, and only the sum gets the photo's own
        prepared = []
        for image in inputs:
            bounded = self.loader.transform(dict(img=image[..., ::-1]))['img']
            height, width = bounded.shape[:2]
            # mmcv cannot flip what is a single pixel wide, as slim photos are at some scale
            slim = ((0, max(0, SLIM - height)), (0, max(0, SLIM - width)), (0, 0))
            prepared.append(self.pipeline(dict(img=np.pad(bounded, slim, mode='edge'))))
        data = self.collate_fn(prepared)
        with evaluating(self.model):
            totals: list[Tensor] = []
            for views, samples in zip(data['inputs'], data['data_samples']):
                outputs = self.model.test_step(dict(inputs=views, data_samples=samples))
                parts = [self.merger.average([output]) for output in outputs]
                totals = [total + part for total, part in zip(totals, parts)] if totals else parts
        results = []
        for index, total in enumerate(totals):
            total = total / len(data['inputs'])
            if self.merger.crf is not None:
                total = self.merger.fit_to_photo(total, data['data_samples'][0][index].photo)
            results.append(total[:, :height, :width])
        return results

    @torch.inference_mode()
    def forward(self, inputs: Sequence[np.ndarray]) -> list[SegDataSample]:
        """Masks of photos of one size.

        Args:
            inputs (Sequence[np.ndarray]): RGB uint8 ``(H, W, 3)``.

        Returns:
            list[SegDataSample]: ``pred_sem_seg`` ``(1, H, W)`` each, on the CPU.
        """
        height, width = inputs[0].shape[:2]
        results = []
        for probabilities in self.probabilities(inputs):
            sample = SegDataSample(metainfo=dict(ori_shape=(height, width)))
            sample.pred_sem_seg = PixelData(data=self.merger.decide(probabilities, (height, width)).cpu())
            results.append(sample)
        return results

    def label(self, sample: SegDataSample) -> np.ndarray:
        """The channel of each pixel, uint8 ``(H, W)``."""
        return sample.pred_sem_seg.data[0].numpy().astype(np.uint8)

    def row(self, image: np.ndarray, sample: SegDataSample, title: str) -> Row:
        """The photo and its mask."""
        label, names, palette = self.classes.drawn(self.label(sample))
        return label_row(image, label, names, palette, title=title, caption='prediction')

    def as_dict(self, sample: SegDataSample) -> dict[str, Any]:
        """``sem_seg``: training indices, uint8 ``(H, W)``."""
        return dict(sem_seg=self.label(sample))

    def save(self, sample: SegDataSample, path: str) -> None:
        """Write the mask as ``.png``, with the values and colours of the training masks."""
        write_png(f'{path}.png', self.classes.decode(self.label(sample)), self.classes.png_palette)

    def summary(self, sample: SegDataSample) -> str:
        """The share of each class."""
        label = self.label(sample)
        counts = np.bincount(label.ravel(), minlength=len(self.classes.names))
        return ', '.join(
            f'{name} {count / label.size:.1%}' for name, count in zip(self.classes.names, counts.tolist()) if count
        )


class CAMInferencer(Inferencer):
    """Tags and CAMs of photos from a classifier.

    Args:
        model (str | PathLike | Config | BaseModel, optional): See :class:`Inferencer`.
        weights (str | PathLike, optional): See :class:`Inferencer`.
        scales (Sequence[float], optional): Factors of the photo's size. Defaults to None: those of the config's CAM
            stage.
        flip (bool, optional): Whether the mirror image is added. Defaults to None: as the config's CAM stage.
        score_threshold (float): A class is in a photo if it scores more. Defaults to 0.5.
        xi (float): Recalibration coefficient ξ of pictures. Defaults to 0.5.
        **kwargs: Of :class:`Inferencer`.

    Examples:
        >>> inferencer = CAMInferencer('work_dirs/photos/classifier/epoch_8.pth')
        >>> inferencer('photo.jpg')['predictions'][0]['pred_classes']
        >>> inferencer(['a.jpg', 'b.jpg'], labels=[['cat'], ['cat', 'dog']], out_dir='cams')
    """

    kind = BaseCAMClassifier
    forward_kwargs: set = {'labels'}

    def __init__(
        self,
        model: str | os.PathLike | Config | BaseModel | None = None,
        weights: str | os.PathLike | None = None,
        scales: Sequence[float] | None = None,
        flip: bool | None = None,
        score_threshold: float = 0.5,
        xi: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(model, weights, **kwargs)
        stage = self.cfg.get('test_cfg') or {}
        self.scales = tuple(stage.get('scales', (1.0,)) if scales is None else scales)
        self.flip = bool(stage.get('flip', True) if flip is None else flip)
        self.climbing = Climbing(**stage['climb']) if stage.get('climb') else None
        self.score_threshold = score_threshold
        self.xi = xi

    def _classes(self) -> MaskClasses:
        meta = getattr(self.model, 'dataset_meta', None) or {}
        return MaskClasses.of_meta(meta, self.model.num_classes, foreground_only=True)

    def _init_pipeline(self, cfg: Config) -> InferencerLoader:
        steps = inference_pipeline(cfg) or [dict(type='mmamr.InferencerLoader')]
        return InferencerLoader(**{key: value for key, value in steps[0].items() if key != 'type'})

    def stream(
        self, images: Iterable[np.ndarray], batch_size: int = 1, **kwargs: Any
    ) -> Iterator[tuple[list[np.ndarray], list]]:
        """See :meth:`Inferencer.stream`; ``labels`` are those of all images, in their order."""
        labels = kwargs.pop('labels', None)
        done = 0
        # statistics of the batch would mix the photos
        for batch in same_size_batches(images, 1 if self.model.mixes_samples else batch_size):
            own = None if labels is None else labels[done : done + len(batch)]
            if own is not None and len(own) < len(batch):
                raise ValueError(f'labels of {len(labels or ())} photos were given, but there are more photos')
            yield batch, self.forward(batch, own, **kwargs)
            done += len(batch)

    def forward(
        self, inputs: Sequence[np.ndarray], labels: Sequence[Sequence[int | str]] | None = None
    ) -> list[DataSample]:
        """Tags and CAMs of photos of one size.

        Args:
            inputs (Sequence[np.ndarray]): RGB uint8 ``(H, W, 3)``.
            labels (Sequence[Sequence[int | str]], optional): Classes to make CAMs of. Defaults to None: those that the
                model sees.

        Returns:
            list[DataSample]: ``pred_score`` ``(K, )``, ``pred_label`` and ``cam`` each. A large photo is made smaller
            first, as the config says, and the CAM has that size.
        """
        bounded = [self.pipeline.transform(dict(img=image))['img'] for image in inputs]
        with evaluating(self.model):
            with torch.inference_mode(self.climbing is None):
                batch = torch.cat([preprocess(self.model, image) for image in bounded])
                with torch.no_grad():
                    scores = self.model.predict(batch)
                wanted = [
                    (one.pred_score > self.score_threshold).nonzero()[:, 0].tolist()
                    if labels is None
                    else class_numbers(self.model, labels[index])
                    for index, one in enumerate(scores)
                ]
                cams = self.model.make_cams(batch, wanted, self.scales, self.flip, self.climbing)
        samples = []
        for one, classes, cam in zip(scores, wanted, cams):
            sample = DataSample()
            sample.set_pred_score(one.pred_score.detach().cpu().clone())
            sample.set_field(torch.tensor(sorted(classes), dtype=torch.int64), 'pred_label')
            sample.set_field(cam, 'cam')
            samples.append(sample)
        return samples

    def row(self, image: np.ndarray, sample: DataSample, title: str) -> Row:
        """The photo and its CAMs."""
        return cam_row(image, sample.cam, self.classes.names[1:], self.classes.palette, xi=self.xi, title=title)

    def as_dict(self, sample: DataSample) -> dict[str, Any]:
        """``pred_classes``, the names; ``scores`` of all classes by name; and ``cam``, a :class:`CAM`."""
        names = self.classes.names[1:]
        return dict(
            pred_classes=[names[index] for index in sample.pred_label.tolist()],
            scores=dict(zip(names, map(float, sample.pred_score))),
            cam=sample.cam,
        )

    def save(self, sample: DataSample, path: str) -> None:
        """Write the CAM as ``.npz``, as the CAM stage does."""
        cam: CAM = sample.cam
        write_cam(f'{path}.npz', cam)

    def summary(self, sample: DataSample) -> str:
        """The classes and their scores; the best one where there is none."""
        names, scores = self.classes.names[1:], sample.pred_score
        seen = [f'{names[index]} {float(scores[index]):.2f}' for index in sample.pred_label.tolist()]
        best = int(scores.argmax())
        none = f'no class above {self.score_threshold:g}; the best is {names[best]} {float(scores[best]):.2f}'
        return ', '.join(seen) or none
