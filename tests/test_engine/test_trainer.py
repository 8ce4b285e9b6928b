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
    with pytest.raises(InputError, match=r'^work: the training diverged, loss_cps is -?(nan|inf) in iteration 7'):
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


@pytest.fixture
def trained(tiny_config, tmp_path):
    """A checkpoint of one epoch, to be changed."""
    train(tiny_config('tiny_amr', 'first', {'train_cfg.max_epochs': 1}))
    return torch.load(tmp_path / 'first' / 'epoch_1.pth', weights_only=True)


def without(*names):
    return lambda content, path: {key: value for key, value in content.items() if key not in names}


def changed_weight(value):

    def change(content, path):
        state = dict(content['state_dict'])
        name = next(name for name in state if name.endswith('.weight'))
        return dict(content, state_dict={**state, name: value(state[name])})

    return change


def python_in_meta(content, path):
    """A config that writes a file where it is read as Python."""
    return dict(content, meta=dict(content['meta'], config=f"open({str(path / 'ran')!r}, 'w')\n"))


STARTS = [
    (without('message_hub'), True, 'no training to resume .message_hub missing'),
    (without('optimizer', 'meta'), True, 'no training to resume .meta, optimizer missing'),
    (lambda content, path: content['state_dict'], True, 'no training to resume .meta, state_dict'),
    (lambda content, path: [1, 2], True, 'holds no checkpoint, but a list'),
    (lambda content, path: dict(content, state_dict={}), True, 'does not fit AMRClassifier'),
    (lambda content, path: {}, False, 'does not fit AMRClassifier'),
    (lambda content, path: dict(other=torch.zeros(2)), False, 'does not fit AMRClassifier'),
    (lambda content, path: dict(a='text'), False, 'no dictionary of tensors'),
    (changed_weight(lambda value: value[:1]), False, '1 have another shape'),
    (changed_weight(lambda value: value * math.nan), False, 'what is no finite number in 1 weights'),
    (changed_weight(lambda value: value * math.inf), True, 'what is no finite number in 1 weights'),
    (python_in_meta, True, None),
    (lambda content, path: content['state_dict'], False, None),
]


def test_what_a_training_starts_from_must_fit(trained, tiny_config, tmp_path):
    path = tmp_path / 'changed.pth'
    for change, resume, said in STARTS:
        torch.save(change(trained, tmp_path), path)
        cfg = tiny_config('tiny_amr', options=dict(load_from=str(path), resume=resume))
        if said is None:
            train(cfg)
            assert not (tmp_path / 'ran').exists()
            continue
        with pytest.raises(InputError, match=said) as caught:
            train(cfg)
        assert str(caught.value).startswith(str(path))
        assert not list((tmp_path / 'work').glob('*.pth'))
