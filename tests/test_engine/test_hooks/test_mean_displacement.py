import pytest
import torch
from mmengine.runner import Runner
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch.utils.data import DataLoader, Dataset

from mmamr.engine.hooks import mean_displacement
from mmamr.engine.hooks.mean_displacement import measure_mean_displacement
from mmamr.registry import MODELS

HEADS = dict(in_channels=(8, 8, 16), strides=(4, 4, 8))
MODEL = dict(
    type='IRNet',
    data_preprocessor=dict(type='mmseg.SegDataPreProcessor', size=(40, 40), pad_val=0, seg_pad_val=255),
    backbone=dict(
        type='mmpretrain.ResNet',
        depth=18,
        stem_channels=8,
        base_channels=8,
        num_stages=2,
        out_indices=(1,),
        strides=(1, 2),
        dilations=(1, 1),
    ),
    taps=('maxpool', 'layer1', 'layer2'),
    edge_head=dict(type='EdgeHead', loss_affinity=dict(type='PathAffinityLoss', radius=3), **HEADS),
    displacement_head=dict(
        type='DisplacementHead',
        channels=(8, 8, 8),
        merged_channels=8,
        loss_displacement=dict(type='DisplacementLoss', radius=3),
        **HEADS,
    ),
)


class Photos(Dataset):
    """Five random photos with labels; the same at every call."""

    def __len__(self):
        return 5

    def __getitem__(self, i):
        generator = torch.Generator().manual_seed(i)
        sample = SegDataSample()
        sample.gt_sem_seg = PixelData(data=torch.randint(0, 3, (1, 36, 40), generator=generator))
        photo = torch.randint(0, 256, (3, 36, 40), dtype=torch.uint8, generator=generator)
        return dict(inputs=photo, data_samples=sample)


def collate(batch):
    return {key: [item[key] for item in batch] for key in ('inputs', 'data_samples')}


def loader(batch_size=2):
    return DataLoader(Photos(), batch_size=batch_size, collate_fn=collate)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MODELS.build(MODEL)


def test_mean_over_all_pixels(model):
    fields = []
    for batch in loader(1):
        inputs = model.data_preprocessor(batch, training=True)['inputs']
        fields.append(model.eval()(inputs)[1].detach())
    expected = torch.cat(fields).mean(dim=(0, 2, 3))
    for batch_size in (1, 2, 5):
        torch.testing.assert_close(measure_mean_displacement(model, loader(batch_size)), expected)


def test_mode_is_restored_also_after_an_error(model):
    model.train()
    measure_mean_displacement(model, loader())
    assert model.training and model.edge_head.training and not model.backbone.training
    with pytest.raises(TypeError):
        measure_mean_displacement(model, [None])
    assert model.training


def test_processes_add_up_their_parts(model, monkeypatch):
    expected = measure_mean_displacement(model, loader(1))
    batches = list(loader(1))
    parts = []
    monkeypatch.setattr(mean_displacement, 'all_reduce', lambda sums: parts.append(sums.clone()))
    measure_mean_displacement(model, batches[:3])
    measure_mean_displacement(model, batches[3:])
    monkeypatch.setattr(mean_displacement, 'all_reduce', lambda sums: sums.copy_(parts[0] + parts[1]))
    torch.testing.assert_close(measure_mean_displacement(model, batches[:3]), expected)


def test_no_pixels_give_zero(model):
    assert measure_mean_displacement(model, []).tolist() == [0, 0]


def run(work_dir, by_epoch, resume=False):
    train_cfg = dict(by_epoch=True, max_epochs=2) if by_epoch else dict(by_epoch=False, max_iters=4)
    return Runner(
        model=MODEL,
        work_dir=str(work_dir),
        train_dataloader=dict(
            batch_size=2,
            dataset=Photos(),
            collate_fn=collate,
            sampler=dict(type='DefaultSampler' if by_epoch else 'InfiniteSampler', shuffle=False),
        ),
        train_cfg=train_cfg,
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', by_epoch=by_epoch, interval=1)),
        custom_hooks=[dict(type='MeanDisplacementHook')],
        default_scope='mmamr',
        randomness=dict(seed=0),
        log_level='ERROR',
        resume=resume,
        experiment_name=f'{work_dir.parent.name}-{work_dir.name}-{resume}',
    )


def saved_mean(path):
    return torch.load(path, map_location='cpu', weights_only=True)['state_dict']['mean_displacement']


@pytest.mark.parametrize('by_epoch', [True, False])
def test_the_last_checkpoint_has_the_mean(tmp_path, by_epoch):
    runner = run(tmp_path / 'run', by_epoch)
    runner.train()
    mean = runner.model.mean_displacement.clone()
    assert mean.count_nonzero() == 2
    # The endless sampler fills up the last batch with the first photo.
    tolerance = 1e-5 if by_epoch else 0.02
    torch.testing.assert_close(mean, measure_mean_displacement(runner.model, loader()), atol=tolerance, rtol=0)
    first, last = ('epoch_1.pth', 'epoch_2.pth') if by_epoch else ('iter_1.pth', 'iter_4.pth')
    assert torch.equal(saved_mean(tmp_path / 'run' / last), mean)
    assert saved_mean(tmp_path / 'run' / first).tolist() == [0, 0]


def test_killed_while_measuring_then_resumed(tmp_path, monkeypatch):
    runner = run(tmp_path / 'whole', by_epoch=True)
    runner.train()

    def kill(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(mean_displacement, 'measure_mean_displacement', kill)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / 'killed', by_epoch=True).train()
    assert not (tmp_path / 'killed' / 'epoch_2.pth').exists()
    monkeypatch.undo()
    resumed = run(tmp_path / 'killed', by_epoch=True, resume=True)
    resumed.train()
    torch.testing.assert_close(resumed.model.mean_displacement, runner.model.mean_displacement)
    torch.testing.assert_close(*(saved_mean(tmp_path / name / 'epoch_2.pth') for name in ('killed', 'whole')))
