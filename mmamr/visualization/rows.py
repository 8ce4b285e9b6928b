"""The rows that show a stage: CAMs (Fig. 1 and 4), labels, and how pseudo labels come out of CAMs."""

from collections.abc import Mapping, Sequence

import numpy as np

from mmamr.cams import mix
from mmamr.structures import CAM
from mmamr.structures.class_index import Palette

from .panels import draw_displacement, draw_heat_map, draw_labels, draw_scores, visible_colours
from .sheet import Row


def strongest(maps: np.ndarray, classes: Sequence[int] | np.ndarray, wanted: Sequence[int] | None = None) -> np.ndarray:
    """The largest of the maps at each pixel.

    Args:
        maps (np.ndarray): ``(K, h, w)``; K may be 0.
        classes (Sequence[int] | np.ndarray): Classes of the maps.
        wanted (Sequence[int], optional): Only these classes. Defaults to None: all.

    Returns:
        np.ndarray: float32 ``(h, w)``, 0 without a map.
    """
    maps = np.asarray(maps, dtype=np.float32)
    if wanted is not None:
        maps = maps[np.isin(classes, wanted)]
    return maps.max(0) if len(maps) else np.zeros(maps.shape[1:], dtype=np.float32)


def legend(classes: Sequence[int] | np.ndarray, names: Sequence[str], palette: Palette) -> dict[str, Sequence[int]]:
    """Colour that each of some classes has in pictures, by name; ``palette`` starts with the background."""
    colours = visible_colours(palette)
    return {names[index]: colours[index + 1] for index in classes}


def cam_row(
    image: np.ndarray,
    cam: CAM,
    names: Sequence[str],
    palette: Palette,
    mask: np.ndarray | None = None,
    walk: CAM | None = None,
    xi: float = 0.5,
    classes: Sequence[int] | None = None,
    title: str = '',
) -> Row:
    """Image, spotlight, compensation and weighted CAM, and where they are given the walk and the ground truth.

    A CAM with one branch has one heat map. Where an image has several classes, the largest of their maps is shown.

    Args:
        image (np.ndarray): RGB uint8 ``(H, W, 3)``.
        cam (CAM): Its CAMs.
        names (Sequence[str]): Names of all foreground classes.
        palette (Sequence[Sequence[int]] | np.ndarray): RGB colours of the background and of these classes.
        mask (np.ndarray, optional): Ground truth ``(H, W)``: 0 background, c + 1 foreground, 255 ignored. Defaults to
            None.
        walk (CAM, optional): The CAM after the random walk. Defaults to None.
        xi (float): Recalibration coefficient ξ of the weighted CAM (eq. 2). Defaults to 0.5.
        classes (Sequence[int], optional): Classes to show, counted from 0. Defaults to None: those of the CAM.
        title (str): E.g. the id of the image. Defaults to ''.

    Returns:
        Row: To be stacked by :func:`draw_sheet`.
    """
    panels = {'image': image}
    if set(cam.maps) == {'spotlight', 'compensation'}:
        shown = {
            'spotlight': cam.maps['spotlight'],
            'compensation': cam.maps['compensation'],
            f'weighted, ξ = {xi:g}': mix(cam, xi),
        }
    else:
        shown = {'CAM' if name == 'spotlight' else name: maps for name, maps in cam.maps.items()}
    if walk is not None:
        shown['random walk'] = mix(walk)
    for caption, maps in shown.items():
        panels[caption] = draw_heat_map(image, strongest(maps, cam.classes, classes))
    if mask is not None:
        panels['ground truth'] = draw_labels(image, mask, palette)
    return Row(panels, title, legend(cam.classes if classes is None else classes, names, palette))


def label_row(
    image: np.ndarray,
    label: np.ndarray,
    names: Sequence[str],
    palette: Palette,
    mask: np.ndarray | None = None,
    cam: CAM | None = None,
    xi: float = 0.5,
    title: str = '',
    caption: str = 'label',
) -> Row:
    """Image, label, and where they are given the CAM that it was made of and the ground truth.

    Args:
        image (np.ndarray): RGB uint8 ``(H, W, 3)``.
        label (np.ndarray): ``(H, W)``: 0 background, c + 1 foreground, 255 unsure.
        names (Sequence[str]): Names of all foreground classes.
        palette (Sequence[Sequence[int]] | np.ndarray): RGB colours of the background and of these classes.
        mask (np.ndarray, optional): Ground truth, as ``label``. Defaults to None.
        cam (CAM, optional): CAMs of the image. Defaults to None.
        xi (float): Recalibration coefficient ξ of the CAM. Defaults to 0.5.
        title (str): E.g. the id of the image. Defaults to ''.
        caption (str): What the label is called. Defaults to 'label'.

    Returns:
        Row: To be stacked by :func:`draw_sheet`.
    """
    panels = {'image': image}
    if cam is not None:
        panels['CAM'] = draw_heat_map(image, strongest(mix(cam, xi), cam.classes))
    panels[caption] = draw_labels(image, label, palette)
    if mask is not None:
        panels['ground truth'] = draw_labels(image, mask, palette)
    values = np.unique(label)
    return Row(panels, title, legend([value - 1 for value in values if 0 < value <= len(names)], names, palette))


def affinity_row(
    image: np.ndarray,
    cam: CAM,
    affinity: Mapping[str, np.ndarray],
    walk: CAM,
    label: np.ndarray,
    names: Sequence[str],
    palette: Palette,
    mask: np.ndarray | None = None,
    xi: float = 0.5,
    title: str = '',
) -> Row:
    """Image, CAM, class boundaries, displacements, random walk, pseudo label and ground truth.

    Args:
        image (np.ndarray): RGB uint8 ``(H, W, 3)``.
        cam (CAM): Its CAMs before the walk.
        affinity (Mapping[str, np.ndarray]): What ``model.affinity`` gives: of IRNet ``edge`` ``(h, w)`` and
            ``displacement`` ``(2, h, w)``. AffinityNet has neither, so that their pictures are left out.
        walk (CAM): The CAMs after it.
        label (np.ndarray): Pseudo label ``(H, W)``: 0 background, c + 1 foreground, 255 unsure.
        names (Sequence[str]): Names of all foreground classes.
        palette (Sequence[Sequence[int]] | np.ndarray): RGB colours of the background and of these classes.
        mask (np.ndarray, optional): Ground truth, as ``label``. Defaults to None.
        xi (float): Recalibration coefficient ξ of the CAM. Defaults to 0.5.
        title (str): E.g. the id of the image. Defaults to ''.

    Returns:
        Row: To be stacked by :func:`draw_sheet`.
    """
    height, width = image.shape[:2]

    def enlarge(maps: np.ndarray) -> np.ndarray:
        """Cells of maps ``(..., h, w)`` as squares, cut to the size of the image."""
        rows, columns = -(-height // maps.shape[-2]), -(-width // maps.shape[-1])
        return np.asarray(maps).repeat(rows, -2).repeat(columns, -1)[..., :height, :width]

    panels = {'image': image, 'CAM': draw_heat_map(image, strongest(mix(cam, xi), cam.classes))}
    if 'edge' in affinity:
        panels['class boundaries'] = draw_scores(enlarge(affinity['edge']))
    if 'displacement' in affinity:
        panels['displacement'] = draw_displacement(enlarge(affinity['displacement']))
    panels['random walk'] = draw_heat_map(image, strongest(mix(walk), walk.classes))
    panels['pseudo label'] = draw_labels(image, label, palette)
    if mask is not None:
        panels['ground truth'] = draw_labels(image, mask, palette)
    return Row(panels, title, legend(cam.classes, names, palette))
