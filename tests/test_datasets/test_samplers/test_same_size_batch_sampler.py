import pytest
from mmengine.dataset import DefaultSampler
from mmengine.runner import Runner

from mmamr.datasets import ImageLabelDataset, SameSizeBatchSampler
from mmamr.datasets.samplers import same_size_batch_sampler
from mmamr.registry import DATA_SAMPLERS


class Sizes:
    """A data set of which only the sizes are known."""

    def __init__(self, *sizes):
        self.sizes = sizes

    def __len__(self):
        return len(self.sizes)

    def get_image_size(self, idx):
        return self.sizes[idx]


SIZES = Sizes((4, 6), (6, 4), (4, 6), (9, 9), (4, 6), (6, 4), (4, 6))
PLAN = [[3], [0, 2], [4, 6], [1, 5]]


def make(dataset=SIZES, **kwargs):
    sampler = DefaultSampler(dataset, shuffle=False)
    return DATA_SAMPLERS.build(dict(type='SameSizeBatchSampler', sampler=sampler, **{'batch_size': 2, **kwargs}))


def test_batches_of_one_size_largest_first():
    sampler = make()
    assert isinstance(sampler, SameSizeBatchSampler)
    assert list(sampler) == PLAN and len(sampler) == 4
    assert list(make(batch_size=3)) == [[3], [0, 2, 4], [6], [1, 5]]
    assert list(make(batch_size=3, drop_last=True)) == [[0, 2, 4]]


def test_pending_keeps_whole_batches():
    sampler = make()
    sampler.pending = {6, 1}
    assert list(sampler) == [[4, 6], [1, 5]] and len(sampler) == 2
    assert sampler.plan == PLAN
    sampler.pending = set()
    assert list(sampler) == [] and len(sampler) == 0


@pytest.mark.parametrize('world_size', [1, 2, 3, 6])
def test_processes_take_turns_at_one_plan(monkeypatch, world_size):
    shares = []
    for rank in range(world_size):
        monkeypatch.setattr(same_size_batch_sampler, 'get_dist_info', lambda rank=rank: (rank, world_size))
        sampler = make()
        assert sampler.plan == PLAN
        shares.append(list(sampler))
        assert len(sampler) == len(shares[-1])
    assert sorted(batch for share in shares for batch in share) == sorted(PLAN)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_wrong_arguments():
    with pytest.raises(ValueError, match='batch_size must be a whole number of at least 1'):
        make(batch_size=0)
    with pytest.raises(ValueError, match=r'shuffle=False'):
        SameSizeBatchSampler(DefaultSampler(SIZES, shuffle=True), 2)
    with pytest.raises(ValueError, match=r'get_image_size'):
        make(dataset=[1, 2])


def test_in_a_dataloader(tiny_voc):
    dataset = ImageLabelDataset(
        data_root=tiny_voc,
        split='ImageSets/Segmentation/trainval.txt',
        metainfo=dict(classes=('disc', 'square', 'cross')),
        pipeline=[dict(type='mmamr.LoadImage')],
    )
    loader = Runner.build_dataloader(
        dict(
            batch_size=2,
            num_workers=0,
            dataset=dataset,
            sampler=dict(type='DefaultSampler', shuffle=False),
            batch_sampler=dict(type='mmamr.SameSizeBatchSampler'),
        )
    )
    assert isinstance(loader.batch_sampler, SameSizeBatchSampler) and len(loader) == 8
    for batch in loader:
        assert len({image.shape for image in batch['img']}) == 1
