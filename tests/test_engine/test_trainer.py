"""What every training has: it stops where it diverges, and is alone in its folder."""

import math
import multiprocessing
from types import SimpleNamespace

import pytest
import torch

from mmamr.engine import DivergenceHook, train
from mmamr.utils import FolderLock, InputError, SettingError


@pytest.mark.parametrize(
    'name, options',
    [
        ('tiny_amr', {'optim_wrapper.optimizer.lr': 1e30, 'train_cfg.max_epochs': 3}),
        ('tiny_irnet-train', {'optim_wrapper.optimizer.lr': 1e30}),
    ],
)
def test_a_training_that_diverges(tiny_config, tiny_voc, tmp_path, name, options):
    if name != 'tiny_amr':
        # masks are labels as good as any
        options = {**options, 'train_dataloader.dataset.label_dir': str(tiny_voc / 'SegmentationClass')}
    with pytest.raises(InputError, match=r'the training diverged, .*: lower optim_wrapper.optimizer.lr') as caught:
        train(tiny_config(name, options=options))
    assert '\n' not in str(caught.value) and str(tmp_path) in str(caught.value)
    for path in (tmp_path / 'work').glob('*.pth'):
        state = torch.load(path, weights_only=True)['state_dict']
        assert all(value.isfinite().all() for value in state.values())


def runner_with(losses, scaled=False):
    """As much of a runner as the hook sees after an iteration."""
    scalars = {f'train/{name}': SimpleNamespace(current=lambda value=value: value) for name, value in losses.items()}
    hub = SimpleNamespace(log_scalars=scalars, get_scalar=lambda name: scalars[name])
    wrapper = SimpleNamespace(loss_scaler=None) if scaled else SimpleNamespace()
    return SimpleNamespace(message_hub=hub, optim_wrapper=wrapper, work_dir='work', iter=6, epoch=1)


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_the_term_that_diverged_is_named(value):
    hook, losses = DivergenceHook(), dict(loss_cls=1.0, loss_cps=value, loss=value)
    with pytest.raises(
        InputError, match=r'^work: the training diverged, loss_cps is -?(nan|inf) in iteration 7'
    ):
        hook.after_train_iter(runner_with(losses), 0, outputs=losses)
    hook.after_train_iter(runner_with(dict(loss=2.0)), 0, outputs=dict(loss=2.0, note='text'))


def test_scaled_losses_may_overflow_for_some_iterations():
    hook, losses = DivergenceHook(patience=2), dict(loss=math.inf)
    hook.after_train_iter(runner_with(losses, scaled=True), 0, outputs=losses)
    hook.after_train_iter(runner_with(losses, scaled=True), 0, outputs=losses)
    hook.after_train_iter(runner_with(dict(loss=1.0), scaled=True), 0, outputs=losses)
    for _ in range(2):
        hook.after_train_iter(runner_with(losses, scaled=True), 0, outputs=losses)
    with pytest.raises(InputError, match='diverged'):
        hook.after_train_iter(runner_with(losses, scaled=True), 0, outputs=losses)


def test_weights_that_are_no_numbers_are_not_saved():
    state = dict(fine=torch.zeros(2), count=torch.zeros((), dtype=torch.long), broken=torch.tensor([1.0, math.nan]))
    with pytest.raises(InputError, match='broken and 0 other weights are no finite numbers in iteration 7'):
        DivergenceHook().before_save_checkpoint(runner_with({}), dict(state_dict=state))
    state.pop('broken')
    DivergenceHook().before_save_checkpoint(runner_with({}), dict(state_dict=state))
    DivergenceHook().before_save_checkpoint(runner_with({}), {})


def hold(folder, ready, done):
    lock = FolderLock(folder)
    lock.acquire()
    ready.set()
    done.wait(60)


def test_a_second_training_in_a_folder_is_refused(tiny_config, tmp_path):
    context = multiprocessing.get_context('fork')
    ready, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(str(tmp_path / 'work'), ready, done))
    other.start()
    try:
        assert ready.wait(60)
        with pytest.raises(InputError, match=r'work: another run is at work here \(process \d+ on '):
            train(tiny_config('tiny_amr'))
    finally:
        done.set()
        other.join()
    assert not list((tmp_path / 'work').glob('*.pth'))


def test_a_training_of_nothing_is_refused(tiny_config):
    for options in ({'train_cfg.max_epochs': 0}, {'train_cfg.max_epochs': 1.5}):
        with pytest.raises(SettingError, match=r'train_cfg.max_epochs must be a whole number of at least 1'):
            train(tiny_config('tiny_amr', options=options))
