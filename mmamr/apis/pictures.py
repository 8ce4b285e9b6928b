"""Pictures of what the stages wrote, for images of a data set or any others."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from torch import nn

from mmamr.cams import CAM, label_of_walk, read_cam, walk_cam
from mmamr.utils import InputError, evaluating, track
from mmamr.visualization import Row, affinity_row, cam_row, draw_sheet, label_row, save_picture

from .inference import Image, class_names, load_rgb, preprocess


def choose_items(dataset, img_ids: Sequence[str] | None = None, num: int = 8, seed: int = 0) -> list[dict[str, Any]]:
    """Some images of a data set: named ones in the order of their names, or random ones in the order of the data set.

    Args:
        dataset (ImageLabelDataset): The data set.
        img_ids (Sequence[str], optional): Ids of the images. Defaults to None: random ones.
        num (int): How many random ones; all where there are fewer. Defaults to 8.
        seed (int): Of the choice; the same seed chooses the same images. Defaults to 0.

    Returns:
        list[dict]: Items of the data set.

    Raises:
        InputError: If an id is not in the data set.
    """
    if img_ids is None:
        indices = np.sort(np.random.default_rng(seed).permutation(len(dataset))[:num]).tolist()
    else:
        # labels, which only the chosen need, may have to be read from masks
        where = {BaseDataset.get_data_info(dataset, index)['img_id']: index for index in range(len(dataset))}
        missing = [img_id for img_id in img_ids if img_id not in where]
        if missing:
            raise InputError(f'{", ".join(missing)}: no such image in {dataset.ann_file}; name ids of this list')
        indices = [where[img_id] for img_id in img_ids]
    return [dataset.get_data_info(index) for index in indices]


def read_truth(item: dict[str, Any], dataset) -> np.ndarray | None:
    """The mask of an item ``(H, W)``: 0 background, c + 1 foreground, 255 ignored; None where there is none."""
    from mmamr.datasets.images import read_mask, read_size  # mmamr.datasets imports mmseg

    if not item.get('seg_map_path'):
        return None
    return read_mask(item['seg_map_path'], dataset.class_index, read_size(item['img_path']))


def read_cam_of(item: dict[str, Any], folder: str, dataset) -> CAM:
    """The CAM file of an item.

    Raises:
        FileNotFoundError: If there is none.
        InputError: If it is broken, of another image or of another data set.
    """
    from mmamr.datasets.images import read_size

    path = os.path.join(folder, f'{item["img_id"]}.npz')
    cam, size = read_cam(path), read_size(item['img_path'])
    if cam.size != size:
        raise InputError(
            f'{path} was made of an image of {cam.size}, but {item["img_path"]} has {size}: make the CAMs '
            'of this data set again'
        )
    if len(cam.classes) and cam.classes.max() >= len(dataset.metainfo['classes']):
        raise InputError(
            f'{path} has class {cam.classes.max()}, but the data set has '
            f'{len(dataset.metainfo["classes"])} classes: name the config that the CAMs were made with'
        )
    return cam


def cam_rows(
    dataset,
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
    rows = []
    for item in items:
        cam = read_cam_of(item, cam_dir, dataset)
        walk = None if walk_dir is None else read_cam_of(item, walk_dir, dataset)
        image, mask = load_rgb(item['img_path']), read_truth(item, dataset)
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
    dataset, label_dir: str, items: Sequence[dict[str, Any]], cam_dir: str | None = None, xi: float = 0.5
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
    from mmamr.datasets.images import read_mask

    rows = []
    for item in items:
        image, mask = load_rgb(item['img_path']), read_truth(item, dataset)
        label = read_mask(os.path.join(label_dir, f'{item["img_id"]}.png'), dataset.class_index, image.shape[:2])
        cam = None if cam_dir is None else read_cam_of(item, cam_dir, dataset)
        rows.append(
            label_row(
                image, label, dataset.metainfo['classes'], dataset.metainfo['palette'], mask, cam, xi, item['img_id']
            )
        )
    return rows


@torch.inference_mode()
def affinity_rows(
    model: nn.Module,
    dataset,
    cam_dir: str,
    items: Sequence[dict[str, Any]],
    xi: float = 0.5,
    cam_power: float = 1.0,
    threshold: float = 0.25,
    powers: Sequence[float] | None = None,
    power: float | None = None,
    unsure: Sequence[float] | None = None,
) -> list[Row]:
    """Rows that show how pseudo labels come out of CAMs: boundaries, displacements, walk, label, ground truth.

    Args:
        model (nn.Module): An :class:`~mmamr.models.IRNet` or :class:`~mmamr.models.AffinityNet`. Its mode is restored.
        dataset (ImageLabelDataset): The data set.
        cam_dir (str): Folder of the CAM files.
        items (Sequence[dict]): From :func:`choose_items`.
        xi (float): Recalibration coefficient ξ (eq. 2). Defaults to 0.5.
        cam_power (float): Power of the CAM before the walk. Defaults to 1.
        threshold (float): Background threshold of the labels. Defaults to 0.25.
        powers (Sequence[float], optional): Powers of the background that walks along. Defaults to None: none does.
        power (float, optional): The one of ``powers`` that makes the labels. Defaults to None: the largest.
        unsure (Sequence[float], optional): Scores between these two thresholds are unsure. Defaults to None.

    Returns:
        list[Row]: To be stacked by :func:`mmamr.visualization.draw_sheet`.
    """
    powers = None if powers is None else sorted(powers, reverse=True)
    power = powers[0] if powers and power is None else power
    rows = []
    with evaluating(model):
        for item in track(items, 'pictures'):
            cam, image = read_cam_of(item, cam_dir, dataset), load_rgb(item['img_path'])
            affinity = model.affinity(preprocess(model, image))[0]
            device = next(iter(affinity.values())).device
            walk = walk_cam(cam, lambda scores, maps=affinity: model.walk(scores, maps), xi, cam_power, powers, device)
            rows.append(
                affinity_row(
                    image,
                    cam,
                    {name: maps.cpu().numpy() for name, maps in affinity.items()},
                    walk,
                    label_of_walk(walk, threshold, power, unsure),
                    dataset.metainfo['classes'],
                    dataset.metainfo['palette'],
                    read_truth(item, dataset),
                    xi,
                    item['img_id'],
                )
            )
    return rows


def show_cams(
    model: nn.Module,
    images: Image | Sequence[Image],
    cams: Sequence[CAM],
    out_file: str | None = None,
    xi: float = 0.5,
    channel_order: str = 'bgr',
) -> np.ndarray:
    """Draw images and their CAMs side by side.

    Args:
        model (nn.Module): The model that made them; names and colours of the classes are its own.
        images (str | PathLike | np.ndarray | Sequence): As given to :func:`make_cams`.
        cams (Sequence[CAM]): What it returned.
        out_file (str, optional): ``.png`` or ``.jpg`` to write. Defaults to None.
        xi (float): Recalibration coefficient ξ of the weighted CAM. Defaults to 0.5.
        channel_order (str): Of arrays, ``'bgr'`` or ``'rgb'``. Defaults to 'bgr'.

    Returns:
        np.ndarray: RGB uint8 ``(H, W, 3)``.
    """
    from mmamr.datasets.class_index import ClassIndex

    images = [images] if isinstance(images, (str, os.PathLike, np.ndarray)) else list(images)
    names = class_names(model)
    meta = getattr(model, 'dataset_meta', {})
    palette = ClassIndex(names, meta.get('mask_values'), meta.get('palette')).palette
    rows = [
        cam_row(
            load_rgb(image, channel_order),
            cam,
            names,
            palette,
            xi=xi,
            title='' if isinstance(image, np.ndarray) else os.path.basename(image),
        )
        for image, cam in zip(images, cams)
    ]
    picture = draw_sheet(rows)
    if out_file is not None:
        save_picture(out_file, picture)
    return picture


def save_rows(rows: Sequence[Row], out: str, width: int = 256) -> list[str]:
    """Write rows as one sheet, or each as a picture of its own.

    Args:
        rows (Sequence[Row]): The rows.
        out (str): A file ``.png`` or ``.jpg`` for the sheet; anything else is a folder, where pictures are named after
            the titles of their rows and, where a title repeats, their classes.
        width (int): Of a column in pixels. Defaults to 256.

    Returns:
        list[str]: The files.
    """
    if os.path.splitext(out)[1].lower() in ('.png', '.jpg', '.jpeg'):
        save_picture(out, draw_sheet(rows, width))
        return [out]
    titles = [row.title for row in rows]
    files = []
    for row in rows:
        name = row.title if titles.count(row.title) == 1 else '_'.join([row.title, *row.legend])
        files.append(os.path.join(out, f'{name}.png'))
        save_picture(files[-1], draw_sheet([row], width))
    return files
