import json
import os.path as osp
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.logging import print_log

from mmamr.cams import (
    DoubtLimits,
    candidates,
    doubt_histograms,
    doubt_limits,
    enlarge_label,
    histogram_power,
    label_of_cam,
    leave_open,
    mix,
    object_scores,
    otsu_threshold,
    score_histogram,
    upsample,
)
from mmamr.cams.doubt import BINS as DOUBT_BINS
from mmamr.datasets import choose_items
from mmamr.fileio import LabelFolder, folder_digest, read_rgb
from mmamr.refine import check_crf, crf_label
from mmamr.registry import LOOPS
from mmamr.structures import CAM
from mmamr.utils import SettingError, atomic_write, check_keys, check_number, check_numbers, share_work
from mmamr.visualization import Row, draw_labels, draw_sheet, save_picture

from .label_loop import LabelLoop

THRESHOLD_FILE = 'threshold.json'
DOUBT_FILE = 'doubt.json'


@LOOPS.register_module()
class PseudoLabelLoop(LabelLoop):
    """Make the pseudo label of each image from its CAM, or from the scores after a random walk.

    One palette PNG with the data set's class values for each image of the split, in VOC's layout.

    Args:
        *args: See :class:`LabelLoop`; ``cam_dir`` is a folder of CAMs or of walks, and labels stand in
            ``SegmentationClassPseudo`` in the work folder.
        threshold (float | str): Background threshold, in [0, 1] of the largest score. ``'auto'``: that of
            :func:`mmamr.cams.otsu_threshold`, from the scores of all images of the split; it needs no masks. The chosen
            one is logged, is the metric ``threshold`` and stands in ``threshold.json`` beside the labels;
            ``thresholds.png`` in the folder above shows labels at five thresholds. Defaults to 0.2 (row C6).
        power (float, optional): Of walks that carried the background along (``powers`` of :class:`WalkLoop`): the power
            whose background takes the place of the threshold. Defaults to None.
        unsure (tuple[float, float], optional): Pixels whose score lies between these two thresholds become 255.
            Defaults to None: none do.
        crf (dict, optional): A dense CRF fits the thresholded scores to the photo, the "CAM + CRF" of the field's
            tables: ``backend``, or single parameters of :func:`mmamr.refine.dense_crf`; an empty dict takes IRNet's.
            Defaults to None: there is none.
        drawn_dir (str, optional): Folder of labels ``<id>.png`` that a person drew or corrected: an image that has one
            there gets it in the place of what the scores say. Defaults to None: there are none.
        doubt (dict, optional): Shares, over all images of the split, of ``background`` and of ``objects`` whose label
            is least sure and becomes 255: background whose score is highest, objects whose score is lowest. Where
            ``cam_dir`` names a second folder of CAMs or walks, as of the CAMs that a walk began at, the mean of both
            scores counts. The limits need no masks; they are logged and stand in ``doubt.json`` beside the labels.
            Defaults to None: nothing is doubted.
        **kwargs: See :class:`LabelLoop`.

    Raises:
        ValueError: If the options do not fit together.
    """

    name = 'SegmentationClassPseudo'

    def __init__(
        self,
        *args: Any,
        threshold: float | Literal['auto'] = 0.2,
        power: float | None = None,
        unsure: tuple[float, float] | None = None,
        crf: dict | None = None,
        drawn_dir: str | None = None,
        doubt: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.auto = threshold == 'auto'
        if isinstance(threshold, str):
            if not self.auto:
                raise SettingError(f"threshold must be in [0, 1] or 'auto', but got {threshold!r}")
            threshold = 0.2  # until it is chosen
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
        if self.auto and (power is not None or unsure is not None):
            raise SettingError(
                "power and unsure take the place of the threshold: threshold='auto' does not go with them"
            )
        if doubt is not None:
            check_keys('doubt', doubt, ('background', 'objects', 'cam_dir'))
            for name in ('background', 'objects'):
                check_number(f'doubt.{name}', doubt.get(name, 0.0), 0, 1)
            if unsure is not None:
                raise SettingError('unsure and doubt both say what becomes 255: give one of them')
        self.doubt = doubt
        self.seconds = self.open_cams(doubt['cam_dir']) if doubt is not None and doubt.get('cam_dir') else None
        self.limits: DoubtLimits | None = None
        self.threshold = threshold
        self.power = power
        self.unsure = unsure
        self.crf = crf
        self.drawn = None if drawn_dir is None else LabelFolder(drawn_dir, self.dataset.class_index)
        if drawn_dir is not None and not osp.isdir(drawn_dir):
            raise SettingError(f'drawn_dir: {drawn_dir} is no folder; name that of the labels that a person drew')

    def settings(self) -> dict[str, Any]:
        """The scores and how they become labels."""
        threshold = 'auto' if self.auto else self.threshold
        options = dict(threshold=threshold, power=self.power, unsure=self.unsure, crf=self.crf)
        if self.doubt is not None:  # labels that were made before there was such an option stay valid
            shares = {name: self.doubt.get(name, 0.0) for name in ('background', 'objects')}
            cams = None if self.seconds is None else folder_digest(self.seconds.folder)
            options['doubt'] = dict(shares, cams=cams)
        drawn = {} if self.drawn is None else dict(drawn=folder_digest(self.drawn.folder))
        return dict(super().settings(), **options, **(self.photo_settings() if self.crf is not None else {}), **drawn)

    def label_of(self, item: dict[str, Any], cam: CAM) -> np.ndarray:
        """The label that a person drew, else that of the scores."""
        if self.drawn is not None and osp.isfile(self.drawn.path(item['img_id'])):
            return self.drawn.read(item['img_id'], cam.size)
        return super().label_of(item, cam)

    def label(self, cam: CAM, img_path: str) -> np.ndarray:
        """Label map ``(H, W)`` of one image: 0 background, c + 1 foreground, 255 unsure."""
        label = self.whole_label(cam, img_path)
        if self.limits is None:
            return label
        return leave_open(label, self.scores(cam, img_path), self.limits)

    def scores(self, cam: CAM, img_path: str) -> np.ndarray:
        """What speaks for an object at each pixel of an image, ``(H, W)``, by the sources of ``doubt``."""
        second = [] if self.seconds is None else [self.seconds.read(self._ids_of_paths[img_path], cam.size)]
        return object_scores([cam, *second], self.xi)

    @cached_property
    def _ids_of_paths(self) -> dict[str, str]:
        items = (BaseDataset.get_data_info(self.dataset, index) for index in range(len(self.dataset)))
        return {item['img_path']: item['img_id'] for item in items}

    def whole_label(self, cam: CAM, img_path: str) -> np.ndarray:
        """Label map ``(H, W)`` before anything is doubted."""
        if self.crf is None:
            return label_of_cam(cam, self.threshold, self.xi, self.power, self.unsure)
        image = read_rgb(img_path, max_long_side=self.dataset.max_long_side)
        maps = upsample(mix(cam, self.xi), image.shape[:2])
        return enlarge_label(crf_label(image, maps, cam.classes, self.threshold, **self.crf), cam.size)

    def read_sample(self, img_id: str, mask: np.ndarray) -> dict[str, Any]:
        """That of the parent, and the second source of scores for :class:`~mmamr.evaluation.DoubtMetric`."""
        sample = super().read_sample(img_id, mask)
        return sample if self.seconds is None else dict(sample, second=self.seconds.read(img_id, mask.shape))

    def make_files(self, pending: Sequence[int]) -> None:
        """Choose the threshold if that was asked for, and make the labels of these images."""
        if self.auto:
            self.choose_threshold()
        if self.doubt is not None:
            self.choose_limits()
        super().make_files(pending)
        if self.auto and is_main_process():
            save_picture(osp.join(osp.dirname(osp.abspath(self.out_dir)), 'thresholds.png'), self.threshold_sheet())

    def measure(self) -> dict[str, float]:
        """Metrics of all files, and the threshold that was chosen."""
        metrics = super().measure()
        if not self.auto:
            return metrics
        return dict(metrics, threshold=self._known_threshold() or self.choose_threshold())

    def choose_threshold(self) -> float:
        """Choose the threshold from the scores of all images; the same for any order, number of processes and workers.

        Returns:
            float: It is kept in :attr:`threshold` and beside the labels.
        """
        answer = [0.0]
        if is_main_process():

            def count(part: Sequence[int], advance: Callable[[], None]) -> list[np.ndarray]:
                histograms = []
                for index in part:
                    img_id = BaseDataset.get_data_info(self.dataset, index)['img_id']
                    histograms.append(score_histogram(self.cams.read(img_id), self.xi))
                    advance()
                return histograms

            parts = share_work(count, range(len(self.dataset)), self.dataloader.num_workers, 'scores')
            power = histogram_power(self.cams.read(BaseDataset.get_data_info(self.dataset, 0)['img_id']))
            answer = [otsu_threshold(np.sum([one for part in parts for one in part], axis=0), power)]
            with atomic_write(osp.join(self.out_dir, THRESHOLD_FILE), 'w', encoding='utf-8') as file:
                json.dump(dict(threshold=answer[0], candidates=candidates(answer[0])), file)
            print_log(f'{self.out_dir}: the background threshold is {answer[0]}, chosen from the scores', 'current')
        broadcast_object_list(answer)
        self.threshold = answer[0]
        return answer[0]

    def choose_limits(self) -> None:
        """Choose from which scores on labels are doubted; the same for any number of processes and workers.

        They are kept in :attr:`limits` and beside the labels.
        """
        assert self.doubt is not None  # make_files() asks for it then only
        answer: list[DoubtLimits | None] = [None]
        self.limits = None
        if is_main_process():

            def count(part: Sequence[int], advance: Callable[[], None]) -> list[np.ndarray]:
                total = np.zeros((2, DOUBT_BINS), dtype=np.int64)
                for index in part:
                    item = BaseDataset.get_data_info(self.dataset, index)
                    cam = self.cams.read(item['img_id'], self.dataset.get_image_size(index))
                    label = self.whole_label(cam, item['img_path'])
                    total += doubt_histograms(self.scores(cam, item['img_path']), label)
                    advance()
                return [total]

            parts = share_work(count, range(len(self.dataset)), self.dataloader.num_workers, 'doubt')
            histograms = np.sum([one for part in parts for one in part], axis=0)
            limits = doubt_limits(histograms, self.doubt.get('background', 0.0), self.doubt.get('objects', 0.0))
            with atomic_write(osp.join(self.out_dir, DOUBT_FILE), 'w', encoding='utf-8') as file:
                json.dump(limits._asdict(), file)
            print_log(
                f'{self.out_dir}: background from a score of {limits.background} on and objects below '
                f'{limits.objects} are left open',
                'current',
            )
            answer = [limits]
        broadcast_object_list(answer)
        self.limits = answer[0]

    def _known_threshold(self) -> float | None:
        """The threshold that the labels were made with."""
        try:
            with open(osp.join(self.out_dir, THRESHOLD_FILE), encoding='utf-8') as file:
                return float(json.load(file)['threshold'])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def threshold_sheet(self, num: int = 4) -> np.ndarray:
        """Labels of some images at five thresholds, side by side; RGB uint8 ``(H, W, 3)``."""
        chosen = self.threshold

        def draw(part: Sequence[dict[str, Any]], advance: Callable[[], None]) -> list[Row]:
            rows = []
            for item in part:
                image = read_rgb(item['img_path'])
                cam = self.cams.read(item['img_id'], image.shape[:2])
                panels = {'photo': image}
                for threshold in candidates(chosen):
                    self.threshold = threshold
                    name = f'{threshold:.2f}, chosen' if threshold == chosen else f'{threshold:.2f}'
                    label = self.label(cam, item['img_path'])
                    panels[name] = draw_labels(image, label, self.dataset.metainfo['palette'])
                rows.append(Row(panels, item['img_id']))
                advance()
            self.threshold = chosen
            return rows

        parts = share_work(draw, choose_items(self.dataset, num=num), self.dataloader.num_workers, 'thresholds')
        return draw_sheet([row for part in parts for row in part])
