"""Measure CAM files and label files, without any model."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.registry import DefaultScope

from mmamr.cams import BINS, average, histogram_power, otsu_threshold, score_histogram
from mmamr.fileio import CAMFolder, LabelFolder, read_size, read_truth
from mmamr.registry import METRICS
from mmamr.utils import InputError, atomic_write

from .files import process_files

METRICS_SUFFIXES = ('.json', '.md')


def evaluate_cams(
    dataset: BaseDataset,
    cam_dir: str | Sequence[str],
    xis: Sequence[float] = (0.1, 0.3, 0.5, 0.7, 0.9),
    threshold: float | Literal['auto'] = 0.2,
    num_workers: int = 0,
    curves_file: str | None = None,
) -> dict[str, float]:
    """mIoU of CAM files against the masks of a data set: Table 5 without inference.

    Args:
        dataset (ImageLabelDataset): The data set; images without a mask are left out.
        cam_dir (str | Sequence[str]): Folder of the CAM files, ours or anyone's (:mod:`mmamr.fileio.cam_file`). Of
            several folders, one of each model of an ensemble, the mean is measured.
        xis (Sequence[float]): Recalibration coefficients ξ of the weighted CAMs. Defaults to (0.1, 0.3, 0.5, 0.7, 0.9).
        threshold (float | str): Fixed background threshold; ``'auto'`` is the one that
            :class:`~mmamr.engine.PseudoLabelLoop` would choose of these CAMs, without masks. It is then among the
            metrics, as ``CAM/auto_threshold``. Defaults to 0.2.
        num_workers (int): Processes; 0 is this one alone. Defaults to 0.
        curves_file (str, optional): JSON for the mIoU at each threshold and the IoU, precision and recall of each
            class. Defaults to None.

    Returns:
        dict[str, float]: As :class:`~mmamr.evaluation.CAMMetric` names them.

    Raises:
        FileNotFoundError: If a CAM file is missing.
        InputError: If one is broken or of another image, or the data set has no masks.
    """

    names = [cam_dir] if isinstance(cam_dir, str) else list(cam_dir)
    folders = [CAMFolder(name, dataset.class_index.num_classes) for name in names]

    def read_sample(item: dict[str, Any]) -> dict[str, Any]:
        mask = read_truth(item, dataset.class_index)
        assert mask is not None  # _evaluate() takes the items with masks only
        cams = [folder.read(item['img_id'], mask.shape) for folder in folders]
        return dict(cam=average(cams) if len(cams) > 1 else cams[0], mask=mask)

    chosen = {}
    if threshold == 'auto':
        threshold = chosen['CAM/auto_threshold'] = _auto_threshold(dataset, folders)
    metric = dict(type='CAMMetric', threshold=threshold, xis=tuple(xis), out_file=curves_file)
    return {**_evaluate(dataset, metric, read_sample, num_workers), **chosen}


def _auto_threshold(dataset: BaseDataset, folders: Sequence[CAMFolder]) -> float:
    """Otsu's threshold of the scores of all images."""
    histogram, power = np.zeros(BINS), 1.0
    for index in range(len(dataset)):
        item = dataset.get_data_info(index)
        size = read_size(item['img_path'])
        cams = [folder.read(item['img_id'], size) for folder in folders]
        cam = average(cams) if len(cams) > 1 else cams[0]
        histogram, power = histogram + score_histogram(cam), histogram_power(cam)
    return otsu_threshold(histogram, power)


def evaluate_complement(
    dataset: BaseDataset, cam_dir: str, thresholds: Mapping[str, float] | None = None, num_workers: int = 0
) -> dict[str, float]:
    """How much of what the spotlight leaves out of the objects the compensation branch covers.

    Args:
        dataset (ImageLabelDataset): The data set; images without a mask are left out.
        cam_dir (str): Folder of the CAM files of both branches.
        thresholds (Mapping[str, float], optional): See :class:`~mmamr.evaluation.ComplementMetric`.
        num_workers (int): Processes; 0 is this one alone. Defaults to 0.

    Returns:
        dict[str, float]: As :class:`~mmamr.evaluation.ComplementMetric` names them.

    Raises:
        FileNotFoundError: If a CAM file is missing.
        InputError: If one is broken, of another image or of one branch, or the data set has no masks.
    """
    folder = CAMFolder(cam_dir, dataset.class_index.num_classes)

    def read_sample(item: dict[str, Any]) -> dict[str, Any]:
        mask = read_truth(item, dataset.class_index)
        assert mask is not None  # _evaluate() takes the items with masks only
        return dict(cam=folder.read(item['img_id'], mask.shape), mask=mask)

    return _evaluate(dataset, dict(type='ComplementMetric', thresholds=thresholds), read_sample, num_workers)


def evaluate_labels(dataset: BaseDataset, label_dir: str, num_workers: int = 0) -> dict[str, float]:
    """mIoU, false positives and false negatives of label PNGs, such as pseudo labels, against the masks of a data set.

    Args:
        dataset (ImageLabelDataset): The data set; images without a mask are left out.
        label_dir (str): Folder of ``<id>.png`` with the mask values of the data set, and 255 where unsure.
        num_workers (int): Processes; 0 is this one alone. Defaults to 0.

    Returns:
        dict[str, float]: As :class:`~mmamr.evaluation.LabelMetric` names them.

    Raises:
        InputError: If a label is missing, broken or of another size, or the data set has no masks.
    """
    labels = LabelFolder(label_dir, dataset.class_index)

    def read_sample(item: dict[str, Any]) -> dict[str, Any]:
        mask = read_truth(item, dataset.class_index)
        assert mask is not None  # _evaluate() takes the items with masks only
        return dict(label=labels.read(item['img_id'], mask.shape), mask=mask)

    return _evaluate(dataset, dict(type='LabelMetric'), read_sample, num_workers)


def _evaluate(
    dataset: BaseDataset, cfg: dict, read_sample: Callable[[dict[str, Any]], dict[str, Any]], num_workers: int
) -> dict[str, float]:
    with DefaultScope.overwrite_default_scope(METRICS.scope):
        metric = METRICS.build(cfg)
    metric.dataset_meta = dataset.metainfo
    items = [dataset.get_data_info(index) for index in range(len(dataset))]
    items = [item for item in items if item.get('seg_map_path')]
    if not items:
        raise InputError(
            f'no image of {dataset.ann_file} has a mask: set mask_dir of the data set '
            '(--cfg-options test_dataloader.dataset.mask_dir=SegmentationClass)'
        )
    process_files([metric], items, read_sample, num_workers)
    return metric.evaluate(len(items))


def metrics_table(metrics: dict[str, float]) -> str:
    """Metrics ``<prefix>/<row>.<column>`` as a Markdown table, one line a row; those without a row are one line.

    Args:
        metrics (dict[str, float]): From :func:`evaluate_cams` or :func:`evaluate_labels`.

    Returns:
        str: The table, with a line end.
    """
    lines: dict[str, dict[str, float]] = {}
    for name, value in metrics.items():
        prefix, _, rest = name.rpartition('/')
        # ξ has a point of its own
        row, _, column = rest.rpartition('.')
        row = re.sub(r'\(xi=(.*)\)', r', ξ = \1', row or prefix)
        lines.setdefault(row, {})[column] = value
    columns: list[str] = list(dict.fromkeys(column for values in lines.values() for column in values))
    table = [[next(iter(metrics)).partition('/')[0], *columns], ['---', *('---:' for _ in columns)]]
    for row, values in lines.items():
        table.append([row, *(f'{values[column]:.2f}' if column in values else '–' for column in columns)])
    return ''.join('| ' + ' | '.join(line) + ' |\n' for line in table)


def write_metrics(path: str, metrics: dict[str, float]) -> None:
    """Write metrics whole.

    Args:
        path (str): ``.json``, or ``.md`` for a Markdown table.
        metrics (dict[str, float]): From :func:`evaluate_cams` or :func:`evaluate_labels`.

    Raises:
        InputError: If the suffix is another one.
    """
    if not path.endswith(METRICS_SUFFIXES):
        raise InputError(f'{path}: metrics are written as {" or ".join(METRICS_SUFFIXES)}')
    with atomic_write(path, 'w', encoding='utf-8') as file:
        file.write(metrics_table(metrics) if path.endswith('.md') else json.dumps(metrics, indent=2) + '\n')
