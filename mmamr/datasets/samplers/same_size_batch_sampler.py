"""Batches of images of one size, the same ones whoever makes them."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from mmamr.registry import DATA_SAMPLERS
from mmamr.utils import SettingError, check_number


@DATA_SAMPLERS.register_module()
class SameSizeBatchSampler(Sampler[list[int]]):
    """Groups images by size, so that a batch needs no padding, which would change a CAM.

    :attr:`plan` is a function of the data set's order and of ``batch_size`` alone; processes take turns at its batches.
    An image therefore has the same neighbours in its batch under any number of processes, and after a run that was
    killed: its result is the same to the last bit. The largest images come first, so that memory that does not suffice
    shows at once.

    Args:
        sampler (Sampler): Sampler of the data set in its own order, such as ``DefaultSampler`` with ``shuffle=False``.
            Only its ``dataset`` is used, which must have ``get_image_size(idx) -> (H, W)``.
        batch_size (int): Images in a batch at most.
        drop_last (bool): Whether batches that are not full are left out. Defaults to False.

    Attributes:
        pending (set[int], optional): Indices still to be done. Planned batches with none of them are skipped, the
            others kept whole. None: all.

    Raises:
        SettingError: If ``batch_size`` is not positive, the sampler shuffles, or the data set does not know sizes.
    """

    def __init__(self, sampler: Sampler, batch_size: int, drop_last: bool = False) -> None:
        check_number('batch_size', batch_size, 1, whole=True)
        if getattr(sampler, 'shuffle', False):
            raise SettingError('SameSizeBatchSampler keeps the order of the data set; set shuffle=False in its sampler')
        dataset = getattr(sampler, 'dataset', None)
        if not hasattr(dataset, 'get_image_size'):
            raise SettingError(
                'SameSizeBatchSampler needs a sampler with a data set that has get_image_size(idx), such '
                'as ImageLabelDataset'
            )
        self.dataset: Any = dataset
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.pending: set[int] | None = None
        self._plan: list[list[int]] | None = None

    @property
    def plan(self) -> list[list[int]]:
        """All batches of all processes; made once, from the headers of the images."""
        if self._plan is None:
            groups: dict[tuple[int, int], list[int]] = defaultdict(list)
            for index in range(len(self.dataset)):
                groups[self.dataset.get_image_size(index)].append(index)
            largest_first = sorted(groups, key=lambda size: (-size[0] * size[1], size))
            self._plan = [
                groups[size][start : start + self.batch_size]
                for size in largest_first
                for start in range(0, len(groups[size]), self.batch_size)
                if not self.drop_last or start + self.batch_size <= len(groups[size])
            ]
        return self._plan

    def _batches(self) -> list[list[int]]:
        """The batches of this process."""
        rank, world_size = get_dist_info()
        kept = [batch for batch in self.plan if self.pending is None or not self.pending.isdisjoint(batch)]
        return kept[rank::world_size]

    def __iter__(self) -> Iterator[list[int]]:
        yield from self._batches()

    def __len__(self) -> int:
        """Batches of this process."""
        return len(self._batches())
