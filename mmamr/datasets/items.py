"""Some items of a data set."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from mmamr.utils import InputError


def choose_items(
    dataset: BaseDataset, img_ids: Sequence[str] | None = None, num: int = 8, seed: int = 0
) -> list[dict[str, Any]]:
    """Some images of a data set: named ones in the order of their names, or random ones in the order of the data set.

    Args:
        dataset (BaseDataset): The data set, such as an :class:`ImageLabelDataset`.
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
