"""Rows that show what the stages wrote, read from their folders, for some images of a data set."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from mmamr.cams import label_of_cam, resize_cam, walk_cam
from mmamr.datasets import ImageLabelDataset
from mmamr.fileio import CAMFolder, LabelFolder, read_rgb, read_size, read_truth
from mmamr.models.affinity.base import AffinityModel
from mmamr.models.utils import preprocess
from mmamr.utils import evaluating, track

from .panels import shrink_label
from .rows import affinity_row, cam_row, label_row
from .sheet import Row


def cam_rows(
    dataset: ImageLabelDataset,
    cam_dir: str,
    items: Sequence[dict[str, Any]],
    walk_dir: str | None = None,
    xi: float = 0.5,
    per_class: bool = False,
) -> list[Row]:
    """Rows from CAM files: image, CAMs, the walk where there is one, ground truth where there is one.

    Args:
        dataset (ImageLabelDataset): The data set.
        cam_dir (str): Folder of the CAM files.
        items (Sequence[dict]): From :func:`choose_items`.
        walk_dir (str, optional): Folder of the scores after the random walk. Defaults to None.
        xi (float): Recalibration coefficient ξ of the weighted CAM. Defaults to 0.5.
        per_class (bool): Whether each class of an image has a row of its own. Defaults to False: one row an image, with
            the largest of the maps.

    Returns:
        list[Row]: To be stacked by :func:`mmamr.visualization.draw_sheet`.
    """
    cams = CAMFolder(cam_dir, dataset.class_index.num_classes)
    walks = None if walk_dir is None else CAMFolder(walk_dir, dataset.class_index.num_classes)
    rows = []
    for item in items:
        image, size, mask = _read_photo(item, dataset)
        cam = cams.read(item['img_id'], size)
        walk = None if walks is None else walks.read(item['img_id'], size)
        for classes in [[index] for index in cam.classes.tolist()] if per_class and len(cam.classes) else [None]:
            rows.append(
                cam_row(
                    image,
                    cam,
                    dataset.metainfo['classes'],
                    dataset.metainfo['palette'],
                    mask,
                    walk,
                    xi,
                    classes,
                    item['img_id'],
                )
            )
    return rows


def label_rows(
    dataset: ImageLabelDataset,
    label_dir: str,
    items: Sequence[dict[str, Any]],
    cam_dir: str | None = None,
    xi: float = 0.5,
) -> list[Row]:
    """Rows from label files: image, CAM where its folder is given, label, ground truth where there is one.

    Args:
        dataset (ImageLabelDataset): The data set.
        label_dir (str): Folder of ``<id>.png`` with the mask values of the data set, and 255 where unsure.
        items (Sequence[dict]): From :func:`choose_items`.
        cam_dir (str, optional): Folder of the CAM files that the labels were made of. Defaults to None.
        xi (float): Recalibration coefficient ξ of the CAM. Defaults to 0.5.

    Returns:
        list[Row]: To be stacked by :func:`mmamr.visualization.draw_sheet`.
    """
    labels = LabelFolder(label_dir, dataset.class_index)
    cams = None if cam_dir is None else CAMFolder(cam_dir, dataset.class_index.num_classes)
    rows = []
    for item in items:
        image, size, mask = _read_photo(item, dataset)
        label = shrink_label(labels.read(item['img_id'], size), image.shape[:2])
        cam = None if cams is None else cams.read(item['img_id'], size)
        rows.append(
            label_row(
                image, label, dataset.metainfo['classes'], dataset.metainfo['palette'], mask, cam, xi, item['img_id']
            )
        )
    return rows


@torch.inference_mode()
def affinity_rows(
    model: AffinityModel,
    dataset: ImageLabelDataset,
    cam_dir: str,
    items: Sequence[dict[str, Any]],
    xi: float = 0.5,
    cam_power: float = 1.0,
    threshold: float = 0.25,
    powers: Sequence[float] | None = None,
    power: float | None = None,
    unsure: tuple[float, float] | None = None,
) -> list[Row]:
    """Rows that show how pseudo labels come out of CAMs: boundaries, displacements, walk, label, ground truth.

    Args:
        model (AffinityModel): An :class:`~mmamr.models.IRNet` or :class:`~mmamr.models.AffinityNet`. Its mode is
            restored.
        dataset (ImageLabelDataset): The data set.
        cam_dir (str): Folder of the CAM files.
        items (Sequence[dict]): From :func:`choose_items`.
        xi (float): Recalibration coefficient ξ (eq. 2). Defaults to 0.5.
        cam_power (float): Power of the CAM before the walk. Defaults to 1.
        threshold (float): Background threshold of the labels. Defaults to 0.25.
        powers (Sequence[float], optional): Powers of the background that walks along. Defaults to None: none does.
        power (float, optional): The one of ``powers`` that makes the labels, in the place of the threshold. Defaults to
            None.
        unsure (tuple[float, float], optional): Scores between these two thresholds are unsure. Defaults to None.

    Returns:
        list[Row]: To be stacked by :func:`mmamr.visualization.draw_sheet`.
    """
    powers = None if powers is None else sorted(powers, reverse=True)
    cams = CAMFolder(cam_dir, dataset.class_index.num_classes)
    names, palette = dataset.metainfo['classes'], dataset.metainfo['palette']
    rows = []
    with evaluating(model):
        for item in track(items, 'pictures'):
            image, size, mask = _read_photo(item, dataset)
            cam = resize_cam(cams.read(item['img_id'], size), image.shape[:2])
            affinity = model.affinity(preprocess(model, image))[0]
            device = next(iter(affinity.values())).device
            walk = walk_cam(cam, partial(model.walk, affinity=affinity), xi, cam_power, powers, device)
            label = label_of_cam(walk, threshold, power=power, unsure=unsure)
            maps = {name: values.cpu().numpy() for name, values in affinity.items()}
            rows.append(affinity_row(image, cam, maps, walk, label, names, palette, mask, xi, item['img_id']))
    return rows


def _read_photo(
    item: dict[str, Any], dataset: ImageLabelDataset
) -> tuple[np.ndarray, tuple[int, int], np.ndarray | None]:
    """A photo at the size that it is worked on at, its own size, and its mask, if there is one, as the photo."""
    image = read_rgb(item['img_path'], max_long_side=dataset.max_long_side)
    mask = read_truth(item, dataset.class_index)
    return image, read_size(item['img_path']), None if mask is None else shrink_label(mask, image.shape[:2])
