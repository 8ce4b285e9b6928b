"""CAM files for the made-up photos, without any model."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mmamr.fileio import write_cam
from mmamr.structures import CAM, strided_size


@pytest.fixture
def write_cams(tiny_config: Callable, tmp_path: Path) -> Callable[..., str]:
    """Write CAMs that are right but for their coarse grid: the spotlight's are the upper halves of the masks.

    ``write_cams()`` returns the folder; ``branches`` names those to write.
    """
    from mmamr.apis import init_dataset
    from mmamr.fileio import read_mask

    def write(name: str = 'cams', branches=('spotlight', 'compensation')) -> str:
        dataset = init_dataset(tiny_config('tiny_amr'))
        for index in range(len(dataset)):
            item = dataset.get_data_info(index)
            mask = read_mask(item['seg_map_path'], dataset.class_index)
            whole = np.stack([mask == label + 1 for label in item['gt_label']]).astype(np.float32)
            maps = dict(spotlight=whole.copy(), compensation=whole, walk=whole)
            maps['spotlight'][:, mask.shape[0] // 2 :] = 0
            maps = {branch: maps[branch][:, ::4, ::4] for branch in branches}
            assert all(one.shape[1:] == strided_size(mask.shape) for one in maps.values())
            write_cam(str(tmp_path / name / f'{item["img_id"]}.npz'), CAM(maps, np.array(item['gt_label']), mask.shape))
        return str(tmp_path / name)

    return write
