"""Each cure for today's stack: it cures, and does nothing where nothing is broken."""

import ast
import importlib
import importlib.util
import io
import logging
import os
import pickle
import platform
import shutil
import subprocess
import sys
import types
import warnings
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import mmengine.config.config
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer, MMLogger, print_log
from mmengine.runner import CheckpointLoader, checkpoint
from mmengine.utils.dl_utils.misc import mmcv_full_available
from torch import distributed, nn

from mmamr import compat
from mmamr.compat import DEPENDENCIES, Dependency, check_versions
from mmamr.utils import InputError


class TestVersions:
    DEPENDENCIES = (
        Dependency(('one',), '1.0', '2.1', "'one>=1'", broken='==1.5.*'),
        Dependency(('two-lite', 'two', 'other-two'), '2.1', '2.2', "'two-lite>=2.1'"),
    )

    def check(self, **installed):

        def version(name):
            if name not in installed:
                raise PackageNotFoundError(name)
            return installed[name]

        check_versions(self.DEPENDENCIES, version)

    def test_those_that_work(self):
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            self.check(one='1.0', two='2.1.0')
            self.check(one='2.1.9+cpu', **{'two-lite': '2.2.3'})
            self.check(one='1.9', **{'other-two': '2.2.0'})
            check_versions()

    @pytest.mark.parametrize(
        'installed, message',
        [
            (dict(two='2.1'), "mmamr needs one, which is not installed: pip install 'one>=1'"),
            (dict(one='0.9', two='2.1'), "mmamr does not work with one 0.9: pip install 'one>=1'"),
            (dict(one='1.5.3', two='2.1'), "mmamr does not work with one 1.5.3: pip install 'one>=1'"),
            (dict(one='1.6'), "mmamr needs two-lite, which is not installed: pip install 'two-lite>=2.1'"),
            (dict(one='1.6', two='2.0.9'), "mmamr does not work with two 2.0.9: pip install 'two-lite>=2.1'"),
        ],
    )
    def test_others_end_with_one_line(self, installed, message):
        with pytest.raises(ImportError) as caught:
            self.check(**installed)
        assert str(caught.value) == message

    def test_newer_ones_are_warned_of_once(self):
        with pytest.warns(UserWarning) as caught:
            self.check(one='2.2', two='3.0')
        (warning,) = caught
        assert str(warning.message) == (
            'mmamr has not been tested with one 2.2 (tested up to 2.1), two 3.0 (tested up to 2.2); it most likely '
            'works, else install the tested version'
        )

    def test_two_that_lie_over_each_other(self):
        """As where pip finds the full mmcv 2.1 and adds mmcv-lite 2.2, which both are the folder ``mmcv``."""
        with pytest.warns(UserWarning) as caught:
            self.check(one='2.0', **{'two-lite': '2.2.0', 'two': '2.1.0'})
        (warning,) = caught
        assert str(warning.message) == (
            'two-lite 2.2.0 and two 2.1.0 lie over each other: pip uninstall two-lite two, and install the one that '
            'you want'
        )
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            self.check(one='2.0', **{'two-lite': '2.1.0', 'two': '2.1.0'})

    def test_the_requirements_name_the_same(self):
        """What pip installs is what the import accepts: lower bounds and known bad versions, nothing above."""
        from packaging.requirements import Requirement

        path = Path(__file__).parents[1] / 'requirements' / 'runtime.txt'
        lines = (line.split('#')[0].strip() for line in path.read_text().splitlines())
        required = {line.name: line.specifier for line in map(Requirement, filter(None, lines))}
        for wanted in DEPENDENCIES:
            name = next(name for name in wanted.distributions if name in required)
            assert required[name].contains('9999'), name
            assert str(required[name]) == f'>={wanted.first}' + (f',{wanted.broken}' if wanted.broken else '')


IMPORT = """
import importlib.metadata, sys
real = importlib.metadata.version
importlib.metadata.version = lambda name: '99.0' if name == 'torch' else real(name)
import mmamr, mmamr.registry
"""


def test_a_newer_torch_is_warned_of_once_and_works():
    ended = subprocess.run([sys.executable, '-c', IMPORT], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count('mmamr has not been tested with torch 99.0 (tested up to 2.15)') == 1


PKG_RESOURCES = """
import sys
from importlib.machinery import PathFinder

real = PathFinder.find_spec
PathFinder.find_spec = classmethod(
    lambda cls, name, path=None, target=None: None if name == 'pkg_resources' else real(name, path, target))
import mmamr
from mmengine.utils import get_installed_path, is_installed
assert is_installed('mmseg') or is_installed('mmsegmentation')
assert not is_installed('no-such-package')
assert get_installed_path('mmseg').endswith('mmseg')
from mmengine.config import Config
assert Config.fromfile(sys.argv[1]).model.type == 'EncoderDecoder'
assert 'Stand-in' in sys.modules['pkg_resources'].__doc__
"""


def test_configs_of_other_packages_without_pkg_resources(tmp_path):
    """As with setuptools 81 and newer."""
    (tmp_path / 'child.py').write_text("_base_ = 'mmseg::_base_/models/segformer_mit-b0.py'\n")
    ended = subprocess.run(
        [sys.executable, '-c', PKG_RESOURCES, str(tmp_path / 'child.py')], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr


NEWER_MMCV = """
import importlib.metadata
real = importlib.metadata.version
importlib.metadata.version = lambda name: '2.2.0' if name in ('mmcv', 'mmcv-lite') and real(name) else real(name)
import mmcv
mmcv.__version__ = '2.2.0'
import mmamr
import mmseg
assert mmseg.__version__ and mmcv.__version__ == '2.2.0'
"""


def test_mmseg_accepts_a_newer_mmcv():
    ended = subprocess.run([sys.executable, '-c', NEWER_MMCV], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


NO_OPERATORS = """
import torch

def load_library(path):
    raise OSError('libtorch_cuda.so: cannot open shared object file')

torch.ops.load_library = load_library
import mmamr
import mmpretrain.datasets, torchvision
assert torchvision.transforms.functional.hflip(torch.tensor([[1, 2]])).tolist() == [[2, 1]]
try:
    torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
except RuntimeError as error:
    print(error)
"""


def test_a_torchvision_whose_operators_do_not_load():
    """As beside a torch for the CPU alone, or of another version."""
    ended = subprocess.run([sys.executable, '-c', NO_OPERATORS], capture_output=True, text=True)
    assert ended.stdout.startswith("Couldn't load custom C++ ops"), ended.stderr


FORK = """
import importlib.metadata, sys
from importlib.machinery import PathFinder

# the module is there, under the fork's name alone
real = importlib.metadata.Distribution.from_name.__func__

def from_name(cls, name):
    if name == 'mmsegmentation':
        raise importlib.metadata.PackageNotFoundError(name)
    return real(cls, 'mmsegmentation' if name == 'onedl-mmsegmentation' else name)

importlib.metadata.Distribution.from_name = classmethod(from_name)
find_spec = PathFinder.find_spec
PathFinder.find_spec = classmethod(
    lambda cls, name, path=None, target=None: None if name == 'pkg_resources' else find_spec(name, path, target))
import mmamr
from mmengine.config import Config
assert Config.fromfile(sys.argv[1]).model.type == 'EncoderDecoder'
from mmamr.pipeline.manifest import versions
assert 'onedl-mmsegmentation' in versions() and 'mmsegmentation' not in versions()
"""


def test_a_fork_counts_as_what_it_is(tmp_path):
    """It is accepted, configs of it are found under the module's name, and a manifest names it."""
    (tmp_path / 'child.py').write_text("_base_ = 'mmseg::_base_/models/segformer_mit-b0.py'\n")
    ended = subprocess.run([sys.executable, '-c', FORK, str(tmp_path / 'child.py')], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


class TestExtension:
    def test_stand_in_raises_when_called(self):
        extension = importlib.import_module('mmcv._ext')
        if extension.__spec__.loader is not None:
            pytest.skip('the full mmcv is installed')
        with pytest.raises(NotImplementedError, match=r'mmcv\.ops needs the compiled function some_forward'):
            extension.some_forward(1, two=2)
        assert not hasattr(extension, '__wrapped__')

    def test_operator_names_the_cure(self):
        if mmcv_full_available():
            pytest.skip('the full mmcv is installed')
        from mmcv.ops import sigmoid_focal_loss

        with pytest.raises(NotImplementedError, match="pip uninstall mmcv-lite and pip install 'mmcv"):
            sigmoid_focal_loss(torch.zeros(2, 3), torch.zeros(2, dtype=torch.long), 2.0, 0.25, None, 'none')

    def test_tells_the_truth_about_mmcv(self):
        extension = importlib.import_module('mmcv._ext')
        assert mmcv_full_available() == (extension.__spec__.loader is not None)

    @pytest.mark.parametrize('imported', [True, False])
    def test_does_nothing_with_the_full_mmcv(self, monkeypatch, imported):
        real = types.ModuleType('mmcv._ext')
        if imported:
            monkeypatch.setitem(sys.modules, 'mmcv._ext', real)
        else:
            monkeypatch.delitem(sys.modules, 'mmcv._ext')
            find_spec = importlib.util.find_spec
            monkeypatch.setattr(
                importlib.util,
                'find_spec',
                lambda name, *args: (
                    ModuleSpec(name, loader=object()) if name == 'mmcv._ext' else find_spec(name, *args)
                ),
            )
        compat.stand_in_for_mmcv_ext()
        assert sys.modules.get('mmcv._ext') is (real if imported else None)

    @pytest.mark.slow
    @pytest.mark.parametrize('method', ['spawn', 'forkserver'])
    def test_in_place_in_workers_that_are_not_forked(self, tiny_voc, method):
        """Such a worker imports nothing of the main program here, and the data set is mmseg's own."""
        code = f"""
import mmamr
from mmengine.dataset import pseudo_collate
from mmseg.datasets import BaseSegDataset
from torch.utils.data import DataLoader

dataset = BaseSegDataset(
    data_root={str(tiny_voc)!r}, ann_file='ImageSets/Segmentation/val.txt', img_suffix='.jpg', seg_map_suffix='.png',
    data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
    metainfo=dict(classes=('disc',)), pipeline=[],
)
loader = DataLoader(dataset, num_workers=1, collate_fn=pseudo_collate, multiprocessing_context={method!r})
print(sum(len(batch['img_path']) for batch in loader))
"""
        ended = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=200)
        assert ended.stdout == '4\n', ended.stderr


class Foreign:
    """A class that no checkpoint of mmengine holds."""


class Getattr:
    """Pickles as ``getattr(owner, name)``, which a made-up checkpoint could use to reach anything."""

    def __init__(self, owner, name):
        self.args = (owner, name)

    def __reduce__(self):
        return getattr, self.args


class TestCheckpoints:
    @staticmethod
    def load(content):
        stream = io.BytesIO()
        torch.save(content, stream)
        stream.seek(0)
        return torch.load(stream, weights_only=True)

    def test_loads_what_mmengine_writes(self, tiny_config, tmp_path):
        """A whole checkpoint of its Runner with the message hub, optimiser and schedule in it."""
        from mmengine.runner import Runner

        cfg = tiny_config('tiny_amr', options={'train_cfg.max_epochs': 1})
        Runner.from_cfg(cfg).train()
        checkpoint = torch.load(tmp_path / 'work' / 'epoch_1.pth', weights_only=True)
        history = checkpoint['message_hub']['log_scalars']['train/loss']
        assert isinstance(history, HistoryBuffer) and history.current() > 0
        assert checkpoint['meta']['epoch'] == 1 and 'optimizer' in checkpoint and 'param_schedulers' in checkpoint

    def test_loads_histories_of_all_kinds_of_numbers(self):
        buffer = HistoryBuffer()
        for value in (1, 0.5, 0.25, 3, np.float64(2.0)):
            buffer.update(value)
        loaded = self.load(dict(scalar=np.float32(1.5), count=np.int64(7), buffer=buffer))
        assert loaded['scalar'] == 1.5 and loaded['count'] == 7
        assert loaded['buffer'].max() == 3 and loaded['buffer'].current() == 2 and loaded['buffer'].mean() == 6.75 / 5

    @pytest.mark.parametrize(
        'malicious',
        [
            Getattr(HistoryBuffer, '__init__'),
            Getattr(HistoryBuffer, '__globals__'),
            Getattr(np.ndarray, 'tofile'),
            Getattr(torch.Tensor, 'numpy'),
        ],
        ids=lambda one: one.args[1],
    )
    def test_refuses_other_attributes(self, malicious):
        with pytest.raises((ValueError, pickle.UnpicklingError)):
            self.load(dict(state_dict=malicious))

    def test_refuses_foreign_classes(self):
        with pytest.raises(pickle.UnpicklingError, match='Foreign'):
            self.load(dict(state_dict=Foreign()))
        with pytest.raises(pickle.UnpicklingError):
            self.load(dict(state_dict=os.system))


class Bomb:
    """Runs ``open(path, 'w')`` where its pickle is read without care."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, 'w')


class TestDownloads:
    @pytest.fixture(autouse=True)
    def folders(self, tmp_path, serve):
        self.served, self.cache, self.address = tmp_path / 'served', tmp_path / 'hub' / 'checkpoints', serve

    def load(self, name):
        return CheckpointLoader.load_checkpoint(f'{self.address}/{name}', map_location='cpu')

    def kept(self):
        return sorted(path.name for path in self.cache.iterdir())

    def test_loads_once(self):
        torch.save(dict(state_dict=dict(a=torch.arange(3))), self.served / 'good.pth')
        assert self.load('good.pth?version=2')['state_dict']['a'].tolist() == [0, 1, 2]
        assert self.kept() == ['good.pth']
        (self.served / 'good.pth').unlink()
        assert self.load('good.pth')['state_dict']['a'].tolist() == [0, 1, 2]

    def test_no_pickle_runs(self, tmp_path):
        torch.save(dict(state_dict=Bomb(tmp_path / 'boom')), self.served / 'bomb.pth')
        with pytest.raises(pickle.UnpicklingError):
            self.load('bomb.pth')
        assert not (tmp_path / 'boom').exists() and self.kept() == []
        # also where somebody else put it into the cache
        shutil.copy(self.served / 'bomb.pth', self.cache)
        with pytest.raises(pickle.UnpicklingError):
            self.load('bomb.pth')
        assert not (tmp_path / 'boom').exists()

    def test_torchvision_names_are_read_the_same_way(self, tmp_path, monkeypatch):
        torch.save(dict(state_dict=Bomb(tmp_path / 'boom')), self.served / 'bomb.pth')
        monkeypatch.setattr(checkpoint, 'get_torchvision_models', lambda: dict(net=f'{self.address}/bomb.pth'))
        with pytest.raises(pickle.UnpicklingError):
            CheckpointLoader.load_checkpoint('torchvision://net')
        assert not (tmp_path / 'boom').exists()

    def test_load_weights_refuses_it_in_one_line(self, tmp_path):
        from mmamr.models.utils import load_weights

        torch.save(dict(state_dict=Bomb(tmp_path / 'boom')), self.served / 'bomb.pth')
        with pytest.raises(InputError) as caught:
            load_weights(nn.Linear(2, 2), f'{self.address}/bomb.pth')
        assert str(caught.value).startswith(f'{self.address}/bomb.pth cannot be loaded') and '\n' not in str(
            caught.value
        )
        assert not (tmp_path / 'boom').exists()

    def test_half_a_file_is_not_kept(self):
        torch.save(dict(a=torch.zeros(9999)), self.served / 'cut-off.pth')
        with pytest.raises(ConnectionError, match=r'ended after \d+ of \d+ bytes'):
            self.load('cut-off.pth')
        assert self.kept() == []

    def test_a_page_in_place_of_a_file_is_not_kept(self):
        (self.served / 'page.pth').write_text('<html>moved</html>')
        with pytest.raises(pickle.UnpicklingError):
            self.load('page.pth')
        assert self.kept() == []
        torch.save(dict(a=torch.ones(1)), self.served / 'page.pth')
        assert self.load('page.pth')['a'] == 1

    def test_processes_of_another_node_download_too(self, monkeypatch):
        torch.save(dict(a=torch.ones(1)), self.served / 'good.pth')
        waited = []
        monkeypatch.setattr(checkpoint, 'get_dist_info', lambda: (8, 16))
        monkeypatch.setattr('mmengine.dist.get_dist_info', lambda: (8, 16))
        monkeypatch.setattr(torch.distributed, 'barrier', lambda: waited.append(self.cache.exists()))
        compat.load_checkpoints_safely()
        try:
            assert self.load('good.pth')['a'] == 1
        finally:
            monkeypatch.undo()
            compat.load_checkpoints_safely()
        assert waited == [False]


class TestConfigs:
    def test_base_of_another_project(self, tmp_path):
        path = tmp_path / 'child.py'
        path.write_text(
            "_base_ = 'mmamr::amr/amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'\ntrain_cfg = dict(max_epochs=9)\n"
        )
        cfg = Config.fromfile(path)
        assert cfg.train_cfg.max_epochs == 9 and cfg.model.type == 'AMRClassifier'

    def test_other_packages_are_found_as_before(self):
        find = mmengine.config.config.get_installed_path
        assert Path(find('mmengine')).name == 'mmengine'
        assert (Path(find('mmseg')) / '.mim' / 'configs').is_dir()
        compat.register_package_for_configs()
        assert mmengine.config.config.get_installed_path is find


class TestDistributed:
    @pytest.fixture(autouse=True)
    def no_group(self, monkeypatch):
        """Note how the process group would be started, and leave the environment as it was."""
        self.started = []
        monkeypatch.setattr(torch.distributed, 'init_process_group', lambda **kwargs: self.started.append(kwargs))
        monkeypatch.setattr(os, 'environ', dict(os.environ))
        for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT'):
            os.environ.pop(name, None)

    def test_nothing_with_one_process(self):
        cfg = Config(dict(a=1))
        compat.setup_cpu_distributed(cfg, 'none')
        assert cfg.to_dict() == dict(a=1) and not self.started

    def test_nothing_with_a_gpu(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
        cfg = Config(dict(a=1))
        compat.setup_cpu_distributed(cfg, 'pytorch')
        assert cfg.to_dict() == dict(a=1) and not self.started

    @pytest.mark.parametrize(
        'launcher, given',
        [
            ('pytorch', dict(RANK='1', WORLD_SIZE='2', LOCAL_RANK='1')),
            ('slurm', dict(SLURM_PROCID='1', SLURM_NTASKS='2', SLURM_LOCALID='1')),
            ('mpi', dict(OMPI_COMM_WORLD_RANK='1', OMPI_COMM_WORLD_SIZE='2', OMPI_COMM_WORLD_LOCAL_RANK='1')),
        ],
    )
    def test_starts_gloo(self, monkeypatch, launcher, given):
        monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
        os.environ.update(given)
        cfg = Config(dict(find_unused_parameters=True, model_wrapper_cfg=dict(static_graph=True, device_ids=[0])))
        compat.setup_cpu_distributed(cfg, launcher)
        assert self.started == [dict(backend='gloo')]
        assert [os.environ[name] for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK')] == ['1', '2', '1']
        assert cfg.model_wrapper_cfg == dict(
            type='MMDistributedDataParallel',
            broadcast_buffers=False,
            find_unused_parameters=True,
            static_graph=True,
            device_ids=None,
        )

    @pytest.fixture
    def scontrol(self, monkeypatch, tmp_path):
        """Put a command of this name first in the path; its words are those of a shell script."""
        monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)

        def make(script):
            (tmp_path / 'scontrol').write_text(f'#!/bin/sh\n{script}\n')
            (tmp_path / 'scontrol').chmod(0o755)
            os.environ['PATH'] = f'{tmp_path}:{os.environ["PATH"]}'

        return make

    SLURM = dict(SLURM_PROCID='3', SLURM_NTASKS='4', SLURM_LOCALID='1', SLURM_NODELIST='cpu[07-08]')

    @pytest.mark.parametrize('name', ['SLURM_NNODES', 'SLURM_JOB_NUM_NODES'])
    def test_slurm_meets_at_the_first_node(self, scontrol, name):
        scontrol('test "$*" = "show hostnames cpu[07-08]" && printf "cpu07\\ncpu08\\n"')
        os.environ.update(self.SLURM, **{name: '2'})
        compat.setup_cpu_distributed(Config(), 'slurm')
        assert os.environ['MASTER_ADDR'] == 'cpu07'

    def test_one_node_meets_at_home(self, scontrol):
        scontrol('echo cpu07')
        os.environ.update(self.SLURM, SLURM_NNODES='1')
        compat.setup_cpu_distributed(Config(), 'slurm')
        assert os.environ['MASTER_ADDR'] == '127.0.0.1'

    def test_a_given_address_stays(self, scontrol):
        scontrol('echo cpu07')
        os.environ.update(self.SLURM, SLURM_NNODES='2', MASTER_ADDR='10.0.0.7')
        compat.setup_cpu_distributed(Config(), 'slurm')
        assert os.environ['MASTER_ADDR'] == '10.0.0.7'

    @pytest.mark.parametrize('script', ['exit 1', 'true', None], ids=['fails', 'knows none', 'is not there'])
    def test_slurm_without_an_answer(self, scontrol, script):
        if script is None:
            os.environ['PATH'] = ''
        else:
            scontrol(script)
        os.environ.update(self.SLURM, SLURM_NNODES='2')
        with pytest.raises(InputError, match=r'^scontrol .*: set MASTER_ADDR to the host name of the first node$'):
            compat.setup_cpu_distributed(Config(), 'slurm')
        assert not self.started

    MPI = dict(OMPI_COMM_WORLD_RANK='1', OMPI_COMM_WORLD_SIZE='4', OMPI_COMM_WORLD_LOCAL_RANK='1')

    def test_mpi_on_one_node_meets_at_home(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
        os.environ.update(self.MPI, OMPI_COMM_WORLD_LOCAL_SIZE='4')
        compat.setup_cpu_distributed(Config(), 'mpi')
        assert os.environ['MASTER_ADDR'] == '127.0.0.1'

    def test_mpi_on_several_nodes_needs_an_address(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
        os.environ.update(self.MPI, OMPI_COMM_WORLD_LOCAL_SIZE='2')
        with pytest.raises(InputError, match=r'^MPI runs on several nodes.*: set MASTER_ADDR'):
            compat.setup_cpu_distributed(Config(), 'mpi')
        assert not self.started
        os.environ['MASTER_ADDR'] = 'cpu07'
        compat.setup_cpu_distributed(Config(), 'mpi')
        assert self.started

    def test_unused_parameters_are_not_looked_for_by_default(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
        cfg = Config(dict())
        compat.setup_cpu_distributed(cfg, 'pytorch')
        assert cfg.model_wrapper_cfg.find_unused_parameters is False


class TestWarnings:
    @pytest.mark.parametrize(
        'message',
        [
            'pkg_resources is deprecated as an API.',
            '``build_loss`` would be deprecated soon, please use ``mmseg.registry.MODELS.build()``',
            'Fail to import ``MultiScaleDeformableAttention`` from ``mmcv.ops.multi_scale_deform_attn``',
            "'pkgutil.find_loader' is deprecated and slated for removal in Python 3.14",
            'The draw is False, it means that the hook for visualization will not take effect. The results will',
            'Setting OMP_NUM_THREADS environment variable for each process to be 1 in default, to avoid',
            'Multi-processing start method `fork` is different from the previous setting `forkserver`.It will be',
            '`broadcast_buffers` is deprecated. Use `forward_sync_buffers` instead.',
        ],
    )
    def test_filtered(self, message):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            compat.filter_warnings()
            warnings.warn(message, stacklevel=1)
            warnings.warn('a loss became NaN', stacklevel=1)
        assert [str(one.message) for one in caught] == ['a loss became NaN']

    def test_filtered_in_the_log(self, monkeypatch):
        from mmengine.fileio import file_client

        said = []

        def log(msg, *args, **kwargs):
            said.append(msg)

        monkeypatch.setattr(file_client, 'print_log', log)
        compat.filter_log()
        file_client.FileClient('disk')
        file_client.print_log('disk full')
        assert said == ['disk full']
        quiet = file_client.print_log
        compat.filter_log()
        assert file_client.print_log is quiet
        assert print_log is not quiet


def test_frozen_parameters_are_not_listed_in_the_log():
    from mmengine.optim import build_optim_wrapper
    from mmengine.optim.optimizer import default_constructor

    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[0].requires_grad_(False)
    optimizer = dict(type='SGD', lr=0.1)
    logger = MMLogger.get_instance('frozen', logger_name='frozen')
    said = []
    logger.addHandler(type('Ear', (logging.Handler,), dict(emit=lambda self, record: said.append(record.msg)))())
    cfg = dict(optimizer=optimizer, paramwise_cfg=dict(custom_keys={'1': dict(lr_mult=10)}))
    build_optim_wrapper(model, cfg)
    default_constructor.print_log('paramwise options were read', logger='current')
    assert 'paramwise options were read' in said and any('paramwise_options -- 1.weight' in line for line in said)
    assert not any('is skipped' in line for line in said)


def test_no_model_can_be_wrapped(monkeypatch):
    """``DistributedDataParallel`` refuses a module without a parameter that learns."""
    from mmamr.models import NoModel

    assert any(parameter.requires_grad for parameter in NoModel().parameters())
    assert isinstance(NoModel(), nn.Module)
    with pytest.raises(NotImplementedError, match='has no model'):
        NoModel()(torch.zeros(1))


@pytest.mark.slow
def test_freed_memory_is_kept_where_that_helps(monkeypatch):
    code = (
        'import sys, mmamr.compat as c; import torch; torch.cuda.is_available = lambda: bool(int(sys.argv[1])); '
        'print(c.keep_freed_memory())'
    )

    def says(gpu, **environment):
        kept = {name: value for name, value in os.environ.items() if not name.startswith('MALLOC_')}
        run = subprocess.run(
            [sys.executable, '-c', code, str(int(gpu))],
            env={**kept, **environment},
            check=True,
            text=True,
            capture_output=True,
        )
        return run.stdout.strip() == 'True'

    assert not says(gpu=True)
    assert not says(gpu=False, MALLOC_TRIM_THRESHOLD_='1000000')
    if sys.platform == 'linux' and platform.libc_ver()[0] == 'glibc':
        assert says(gpu=False)


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='other C libraries keep nothing')
def test_freed_memory_goes_back_between_stages():
    code = """
from mmamr.compat import keep_freed_memory, return_freed_memory

def mebibytes():
    with open('/proc/self/status') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('VmRSS:')) >> 10

assert keep_freed_memory()
blocks = [bytearray(1 << 20) for _ in range(400)]
last = bytearray(1 << 20)
del blocks
before = mebibytes()
return_freed_memory()
print(before - mebibytes())
"""
    ended = subprocess.run(
        [sys.executable, '-c', code],
        env={name: value for name, value in os.environ.items() if not name.startswith('MALLOC_')},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ended.returncode == 0 and int(ended.stdout) > 300, ended.stdout + ended.stderr


@pytest.mark.parametrize('backend', ['pillow', 'cv2'])
def test_hues_turn_both_ways(backend):
    import mmcv

    import mmamr.datasets  # noqa: F401  the cure is in place with the transforms

    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    for hue in (-0.5, -0.1, -0.001):
        turned = mmcv.adjust_hue(image, hue, backend)
        assert turned.dtype == np.uint8 and turned.shape == image.shape
        # 256 steps are once around: forwards by what is left, in two turns that mmcv itself can do
        left = (256 + int(hue * 255)) % 256
        half = left // 2
        there = mmcv.adjust_hue(mmcv.adjust_hue(image, half / 255 + 1e-4, backend), (left - half) / 255 + 1e-4, backend)
        if left - half <= 127:
            assert np.abs(turned.astype(int) - there).mean() < 3
    # red turns to blue backwards and to green forwards
    red = np.zeros((1, 1, 3), np.uint8)
    red[..., 2] = 255
    assert mmcv.adjust_hue(red, -1 / 3, backend).argmax() == 0  # blue, in BGR
    assert mmcv.adjust_hue(red, 1 / 3, backend).argmax() == 1
    with pytest.raises(ValueError, match='hue_factor'):
        mmcv.adjust_hue(image, -0.6, backend)


def test_leaving_the_process_group(tmp_path):
    compat.leave_distributed()
    distributed.init_process_group('gloo', init_method=f'file://{tmp_path / "store"}', rank=0, world_size=1)
    compat.leave_distributed()
    assert not distributed.is_initialized()


class TestWaitingThreads:
    NAMES = ('OMP_WAIT_POLICY', 'GOMP_SPINCOUNT', 'KMP_BLOCKTIME')

    @pytest.mark.parametrize('own', [{}, *({name: '7'} for name in NAMES)], ids=['none', *NAMES])
    def test_environment(self, monkeypatch, own):
        for name in self.NAMES:
            monkeypatch.setenv(name, 'to be put back')
            monkeypatch.delenv(name)
        for name, value in own.items():
            monkeypatch.setenv(name, value)
        compat.let_waiting_threads_sleep()
        assert {name: os.environ[name] for name in self.NAMES if name in os.environ} == (
            own or {'OMP_WAIT_POLICY': 'PASSIVE', 'GOMP_SPINCOUNT': '1000'}
        )

    @pytest.mark.skipif(sys.platform != 'linux', reason='asks the OpenMP of GCC')
    @pytest.mark.parametrize(
        'code, env, spins',
        [
            ('import mmamr, torch', {}, "'1000'"),
            ('import runpy; runpy.run_path("tools/train.py")', {}, "'1000'"),
            ('import mmamr, torch', {'OMP_WAIT_POLICY': 'PASSIVE'}, "'0'"),
        ],
    )
    def test_in_force(self, code, env, spins):
        """What OpenMP itself says that it was told when torch was imported."""
        root = Path(__file__).parents[1]
        kept = {name: value for name, value in os.environ.items() if name not in self.NAMES}
        ended = subprocess.run(
            [sys.executable, '-c', code],
            env={**kept, **env, 'OMP_DISPLAY_ENV': 'VERBOSE', 'PYTHONPATH': str(root)},
            cwd=root,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr
        if 'GOMP_SPINCOUNT' not in ended.stderr:
            pytest.skip('another OpenMP')
        assert f'GOMP_SPINCOUNT = {spins}' in ended.stderr

    def test_tools_import_mmamr_before_torch(self):
        """What each tool imports before anything of mmamr does not import torch."""
        root = Path(__file__).parents[1] / 'tools'
        before = {str(path.relative_to(root)): self.imports_before_mmamr(path) for path in root.rglob('*.py')}
        assert len(before) > 15 and all(lines is not None for lines in before.values())
        lines = [
            f'{line}\nassert "torch" not in sys.modules, {name!r}' for name, lines in before.items() for line in lines
        ]
        ended = subprocess.run(
            [sys.executable, '-c', '\n'.join(['import sys', *lines])], capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stderr

    @staticmethod
    def imports_before_mmamr(path):
        """The imports of a script down to the first of mmamr; None if there is no such."""
        lines = []
        for node in ast.parse(path.read_text(encoding='utf-8')).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
                if any(name.split('.')[0] == 'mmamr' for name in names):
                    return lines
                lines.append(ast.unparse(node))
        return None
