"""Which images a report shows: each is rated by what lies on disk, in bounded time however many there are."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from mmengine.dataset import BaseDataset

from mmamr.utils import InputError

MOST_RATED = 1000
"""So many images are rated at most; of more, so many at random."""
OF_EACH_CLASS = 3
"""So many photos of each class are wanted, for whoever looks at a single class."""
MOST_MORE = 20
"""So many photos are shown for that at most, beyond the asked number: a page can be mailed."""


@dataclass
class Rating:
    """What is known of an image without looking at it.

    Args:
        index (int): Its place in the data set.
        classes (list[int]): Its image-level labels, counted from 0. Defaults to none.
        certainty (float, optional): See :func:`mmamr.cams.certainty`. Defaults to None: it has no scores.
        iou (float, optional): See :func:`mmamr.evaluation.image_iou`. Defaults to None: it has no mask or no label.
    """

    index: int
    classes: Sequence[int] = ()
    certainty: float | None = None
    iou: float | None = None


def rate(dataset: BaseDataset, rating: Callable[[int], Rating], seed: int = 0) -> list[Rating]:
    """Rate the images of a data set; those whose files are missing or broken are left out.

    Args:
        dataset (BaseDataset): The data set.
        rating (Callable): Gives the rating of image ``index``.
        seed (int): Of the choice where there are more than :data:`MOST_RATED`. Defaults to 0.

    Returns:
        list[Rating]: In the order of the data set.
    """
    ratings = []
    for index in random_indices(len(dataset), MOST_RATED, seed):
        try:
            ratings.append(rating(index))
        except (InputError, FileNotFoundError):
            continue
    return ratings


def random_indices(count: int, num: int, seed: int, without: Sequence[int] | set[int] = ()) -> list[int]:
    """``num`` of ``count`` indices at random, ascending, none of those in ``without``; the same seed gives the same."""
    order = [index for index in np.random.default_rng(seed).permutation(count).tolist() if index not in without]
    return sorted(order[:num])


def least_certain(ratings: Sequence[Rating], num: int) -> list[Rating]:
    """The ``num`` least certain images, and after them the least certain ones of classes that few of them show.

    Args:
        ratings (Sequence[Rating]): Of the images; those without a certainty are left out.
        num (int): How many. Up to :data:`MOST_MORE` follow, so that :data:`OF_EACH_CLASS` show each class; where that
            is more than can be shown, all classes have one first.
    """
    known = sorted((one for one in ratings if one.certainty is not None), key=lambda one: one.certainty or 0.0)
    chosen, rest = known[:num], known[num:]
    shown = Counter(index for one in chosen for index in one.classes)
    for wanted in range(1, OF_EACH_CLASS + 1):
        for one in list(rest):
            if len(chosen) < num + MOST_MORE and any(shown[index] < wanted for index in one.classes):
                chosen.append(one)
                rest.remove(one)
                shown.update(one.classes)
    return chosen


def lowest_iou(ratings: Sequence[Rating], num: int, without: set[int]) -> list[Rating]:
    """The ``num`` images of the lowest IoU, none of those in ``without``."""
    known = [one for one in ratings if one.iou is not None and one.index not in without]
    return sorted(known, key=lambda one: one.iou or 0.0)[:num]
