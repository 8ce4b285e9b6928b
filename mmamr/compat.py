"""Every cure that today's OpenMMLab stack needs, in one place. Each does nothing where nothing is broken.

``requirements/constraints.txt`` holds the exact set that the tests run on.
"""

import ctypes
import functools
import importlib.util
import multiprocessing
import os
import pickle
import subprocess
import sys
import types
import warnings
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, distribution, version
from typing import Any, NamedTuple, NoReturn
from urllib.parse import urlparse
from urllib.request import Request, urlopen

from packaging.specifiers import SpecifierSet
from packaging.version import Version


class Dependency(NamedTuple):
    """What is known of the versions of one dependency."""

    distributions: tuple[str, ...]
    """Names under which package indexes offer it, forks included; any one serves."""
    first: str
    """The first version that works."""
    tested: str
    """The newest version that was run; newer ones get a warning."""
    install: str
    """What to install."""
    broken: str = ''
    """Versions after the first that are known not to work, as pip writes them, e.g. ``'==2.5.0'``."""


DEPENDENCIES = (
    Dependency(('torch',), '2.1', '2.15', "'torch>=2.1'"),
    Dependency(('torchvision',), '0.16', '0.29', "'torchvision>=0.16'"),
    Dependency(('numpy',), '1.26', '2.5', "'numpy>=1.26'"),
    Dependency(('mmengine', 'mmengine-lite', 'onedl-mmengine'), '0.10.7', '0.10', "'mmengine>=0.10.7'"),
    Dependency(
        ('mmcv-lite', 'mmcv', 'onedl-mmcv'), '2.1.0', '2.2', "'mmcv-lite>=2.1.0' (or the full 'mmcv', same versions)"
    ),
    Dependency(('mmsegmentation', 'onedl-mmsegmentation'), '1.2.2', '1.2', "'mmsegmentation>=1.2.2'"),
    Dependency(('mmpretrain', 'onedl-mmpretrain'), '1.2.0', '1.2', "'mmpretrain>=1.2.0'"),
    # imported by mmsegmentation, which does not declare them
    Dependency(('ftfy',), '6', '6', "'ftfy>=6'"),
    Dependency(('regex',), '2020', '2100', "'regex>=2020'"),
)


QUIET = (
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
    'The prefix is not set in metric class IoUMetric',
    'is skipped since its requires_grad=False',
    'Loads checkpoint by ',
    'Using env variable ',
)
"""Parts of what :func:`filter_log` drops."""

SHORT_WAIT = {'OMP_WAIT_POLICY': 'PASSIVE', 'GOMP_SPINCOUNT': '1000'}
"""To any OpenMP: sleep while you wait. GCC's, with which PyTorch comes, may spin for some 20 µs first, which bridges
the gaps between the operations of a network that is alone; by itself it spins for 300,000 turns, some milliseconds."""


def check_versions(
    dependencies: tuple[Dependency, ...] = DEPENDENCIES, installed: Callable[[str], str] = version
) -> None:
    """See that the dependencies are there and can work.

    Args:
        dependencies (tuple[Dependency]): What to check. Defaults to :data:`DEPENDENCIES`.
        installed (Callable): Returns the installed version of a distribution or raises ``PackageNotFoundError``.

    Raises:
        ImportError: For the first dependency that is missing, too old or known not to work: one line that says what to
            install.

    Warns:
        UserWarning: Once, for all that are newer than what was tested; and for two distributions of one module with
            different versions, of which pip wrote one over the other.
    """
    newer = []
    for wanted in dependencies:
        found = {}
        for name in wanted.distributions:
            try:
                found[name] = Version(installed(name))
            except PackageNotFoundError:
                continue
        if not found:
            raise ImportError(
                f'mmamr needs {wanted.distributions[0]}, which is not installed: pip install {wanted.install}'
            )
        if len(set(found.values())) > 1:
            both = ' and '.join(f'{name} {number}' for name, number in found.items())
            warnings.warn(
                f'{both} lie over each other: pip uninstall {" ".join(found)}, and install the one that you want',
                stacklevel=3,
            )
        for name, number in found.items():
            broken = wanted.broken and SpecifierSet(wanted.broken).contains(number, prereleases=True)
            if number < Version(wanted.first) or broken:
                raise ImportError(f'mmamr does not work with {name} {number}: pip install {wanted.install}')
            tested = Version(wanted.tested).release
            if number.release[: len(tested)] > tested:
                newer.append(f'{name} {number} (tested up to {wanted.tested})')
    if newer:
        warnings.warn(
            f'mmamr has not been tested with {", ".join(newer)}; it most likely works, else install the tested version',
            stacklevel=3,
        )


def let_waiting_threads_sleep() -> None:
    """Let OpenMP's threads sleep instead of spin while they wait for each other; ``import mmamr`` does it first of all.

    PyTorch's threads meet at the end of every operation. One that spins there keeps the core from another process,
    and from the very thread that it waits for: beside a single busy process training took ten times as long and more.
    OpenMP reads its settings when torch is imported, so that this has no effect on a process that has imported torch
    already, but on those that it starts. ``OMP_WAIT_POLICY``, ``GOMP_SPINCOUNT`` or ``KMP_BLOCKTIME`` of the
    environment, if any is set, say what is wanted.
    """
    if not any(name in os.environ for name in (*SHORT_WAIT, 'KMP_BLOCKTIME')):
        os.environ.update(SHORT_WAIT)


def apply_compat() -> None:
    """Apply the cures that must be in place before mmseg or mmpretrain are imported. ``import mmamr`` calls it."""
    filter_warnings()
    filter_log()
    stand_in_for_mmcv_ext()
    stand_in_for_pkg_resources()
    let_mmcv_be_newer()
    let_torchvision_lack_operators()
    allow_checkpoint_types()
    load_checkpoints_safely()
    register_package_for_configs()
    cure_spawned_workers()
    let_mmseg_infer()


def filter_warnings() -> None:
    """Silence the stack's own warnings that a user can do nothing about, each by its own filter."""
    for message in (
        'pkg_resources is deprecated',
        '``build_loss`` would be deprecated soon',
        'Fail to import ``MultiScaleDeformableAttention``',
        'find_loader is deprecated',
        "'pkgutil.find_loader' is deprecated",
        'The draw is False, it means that the hook for visualization will not take effect',
        'Setting [A-Z]*_NUM_THREADS environment variable for each process',
        'Multi-processing start method `.*` is different from the previous setting',
        '`broadcast_buffers` is deprecated',
    ):
        warnings.filterwarnings('ignore', message=f'.*{message}.*')


def filter_log() -> None:
    """Do the same for what mmengine logs as a warning about itself and mmseg, and for each frozen parameter."""
    from mmengine.config import config
    from mmengine.evaluator import metric
    from mmengine.fileio import file_client
    from mmengine.optim.optimizer import default_constructor
    from mmengine.runner import checkpoint

    def quiet(print_log: Callable) -> Callable:

        @functools.wraps(print_log)
        def filtered(msg: object, *args: Any, **kwargs: Any) -> None:
            if not any(message in str(msg) for message in QUIET):
                print_log(msg, *args, **kwargs)

        return filtered

    for module in (config, metric, file_client, default_constructor, checkpoint):
        if not hasattr(module.print_log, '__wrapped__'):
            module.print_log = quiet(module.print_log)


def let_hues_be_negative() -> None:
    """Let ``mmcv.adjust_hue``, and with it mmpretrain's ``ColorJitter``, turn hues backwards under NumPy 2.

    mmcv takes ``np.uint8`` of a negative number, which NumPy 1 let wrap around and NumPy 2 refuses.
    """
    import cv2
    import mmcv
    import numpy as np
    from PIL import Image

    original = mmcv.adjust_hue
    if hasattr(original, '__wrapped__'):
        return

    @functools.wraps(original)
    def adjust_hue(img: np.ndarray, hue_factor: float, backend: str | None = None) -> np.ndarray:
        if not -0.5 <= hue_factor < 0:
            return original(img, hue_factor, backend)
        shift = np.uint8(int(hue_factor * 255) % 256)
        if (backend or mmcv.image.io.imread_backend) == 'pillow':
            hue, saturation, value = Image.fromarray(np.ascontiguousarray(img[..., ::-1])).convert('HSV').split()
            hue = Image.fromarray(np.asarray(hue) + shift)
            return np.array(Image.merge('HSV', (hue, saturation, value)).convert('RGB'))[..., ::-1]
        hsv = cv2.cvtColor(img.astype(np.uint8), cv2.COLOR_BGR2HSV_FULL)
        hsv[..., 0] += shift
        return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR_FULL).astype(img.dtype)

    mmcv.adjust_hue = adjust_hue


def stand_in_for_mmcv_ext() -> None:
    """Let ``import mmseg`` work with mmcv-lite, which has ``mmcv.ops`` but not the compiled ``mmcv._ext`` behind it.

    A module whose functions raise when they are called takes its place. Its spec has no loader, so that
    ``mmengine.utils.dl_utils.misc.mmcv_full_available`` still tells the truth. With the full mmcv nothing is done.
    """
    if 'mmcv._ext' in sys.modules or importlib.util.find_spec('mmcv._ext') is not None:
        return

    def missing(name: str) -> Callable:

        def raise_missing(*args: Any, **kwargs: Any) -> NoReturn:
            raise NotImplementedError(
                f'mmcv.ops needs the compiled function {name}, which mmcv-lite does not have: pip uninstall mmcv-lite '
                "and pip install 'mmcv>=2.1.0,<2.2.0'"
            )

        return raise_missing

    module = types.ModuleType('mmcv._ext', 'Stand-in for the compiled operators that mmcv-lite leaves out.')
    module.__spec__ = ModuleSpec('mmcv._ext', loader=None)
    vars(module)['__getattr__'] = lambda name: missing(name) if not name.startswith('__') else _no_attribute(name)
    sys.modules['mmcv._ext'] = module


def _no_attribute(name: str) -> NoReturn:
    raise AttributeError(f"module 'mmcv._ext' has no attribute '{name}'")


def stand_in_for_pkg_resources() -> None:
    """Let mmengine find installed packages without ``pkg_resources``, which setuptools 81 and newer lack.

    Configs of other packages (``_base_ = 'mmseg::…'``) need it. The stand-in has what mmengine uses.
    """
    if 'pkg_resources' in sys.modules or importlib.util.find_spec('pkg_resources') is not None:
        return

    class DistributionNotFound(Exception):
        """No such package is installed."""

    def get_distribution(package: str) -> types.SimpleNamespace:
        try:
            found = distribution(package)
        except PackageNotFoundError as error:
            raise DistributionNotFound(str(error)) from None
        return types.SimpleNamespace(
            version=found.version,
            project_name=found.metadata['Name'],
            location=str(found.locate_file('')),
            has_metadata=lambda name: found.read_text(name) is not None,
            get_metadata=found.read_text,
        )

    module = types.ModuleType('pkg_resources', 'Stand-in for what mmengine uses of pkg_resources.')
    # mmengine reloads it to see packages that were just installed; there is nothing to refresh
    module.__spec__ = ModuleSpec('pkg_resources', loader=_NothingToLoad())
    vars(module).update(get_distribution=get_distribution, DistributionNotFound=DistributionNotFound)
    sys.modules['pkg_resources'] = module
    sys.meta_path.append(_Finder(module.__spec__))


class _NothingToLoad(Loader):
    """Loads a module that is complete as it is."""

    def create_module(self, spec: ModuleSpec) -> types.ModuleType | None:
        return sys.modules.get(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


class _Finder(MetaPathFinder):
    """Finds one module, for ``importlib.reload``."""

    def __init__(self, spec: ModuleSpec) -> None:
        self.spec = spec

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return self.spec if name == self.spec.name else None


def let_mmcv_be_newer() -> None:
    """Let ``import mmseg`` accept mmcv 2.2.0 and newer, which works, but which its own assertion refuses.

    While ``mmseg/__init__.py`` runs, mmcv calls itself 2.1.0.
    """
    numbers = [Version(version(name)) for name in ('mmcv', 'mmcv-lite', 'onedl-mmcv') if _is_installed(name)]
    if max(numbers, default=Version('0')) >= Version('2.2') and 'mmseg' not in sys.modules:
        sys.meta_path.insert(0, _MMSegFinder())


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def let_torchvision_lack_operators() -> None:
    """Let ``import torchvision`` work where its compiled operators do not load, as beside a torch for the CPU alone.

    mmpretrain imports it for its transforms. It tells torch more of these operators without a look whether they are
    there; here it does not. To call one ends with torchvision's own words.
    """
    _cure_once_imported('torchvision.extension', _register_no_operators)


def _register_no_operators(module: types.ModuleType) -> None:
    if not module._has_ops():
        for name in ('torchvision._meta_registrations', 'torchvision._autograd_registrations'):
            sys.modules.setdefault(name, types.ModuleType(name, 'Stand-in, as there are no operators.'))


class _MMSegFinder(MetaPathFinder):
    """Finds mmseg as ever, and lets it see an mmcv that it accepts while it is imported."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != 'mmseg':
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: types.ModuleType) -> None:
                import mmcv

                number, mmcv.__version__ = mmcv.__version__, '2.1.0'
                try:
                    load(module)
                finally:
                    mmcv.__version__ = number

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def allow_checkpoint_types() -> None:
    """Let ``torch.load(..., weights_only=True)`` read what mmengine itself puts into a checkpoint.

    The message hub of a run holds log histories: a plain container class, numpy numbers, and references to four methods
    of the container, which are pickled through ``getattr``. That function is admitted for these four alone.
    """
    import numpy as np
    import torch
    from mmengine.logging.history_buffer import HistoryBuffer

    multiarray = importlib.import_module(f'{"numpy._core" if hasattr(np, "_core") else "numpy.core"}.multiarray')
    allowed = {
        'mmengine.logging.history_buffer.HistoryBuffer': HistoryBuffer,
        'numpy.ndarray': np.ndarray,
        'numpy.dtype': np.dtype,
        'builtins.getattr': _history_method,
    }
    for name in ('Float64DType', 'Float32DType', 'Int64DType'):
        allowed[f'numpy.dtypes.{name}'] = getattr(np.dtypes, name)
    for name in ('_reconstruct', 'scalar'):
        # a checkpoint has the name that the NumPy had which wrote it
        for core in ('numpy._core', 'numpy.core'):
            allowed[f'{core}.multiarray.{name}'] = getattr(multiarray, name)
    if Version(torch.__version__) >= Version('2.6'):
        torch.serialization.add_safe_globals([(value, name) for name, value in allowed.items()])
        return
    # before, torch's own reader makes no instance of these; Python's does, of nothing but the list
    from torch import _weights_only_unpickler as unpickler

    if hasattr(unpickler.Unpickler, '_mmamr'):
        return
    builtin = unpickler._get_allowed_globals

    class Unpickler(pickle.Unpickler):
        _mmamr = True

        def __init__(self, file: Any, *, encoding: str = 'bytes') -> None:
            super().__init__(file, encoding=encoding)

        def find_class(self, module: str, name: str) -> Any:
            # torch pickles with the names of Python 2
            known = {**builtin(), **allowed, '__builtin__.getattr': _history_method, '_codecs.encode': _latin1}
            if f'{module}.{name}' not in known:
                raise pickle.UnpicklingError(f'unsupported class {module}.{name}: do not trust this checkpoint')
            return known[f'{module}.{name}']

    unpickler.Unpickler = Unpickler  # type: ignore[misc, assignment]


def _latin1(text: str, encoding: str) -> bytes:
    """Stand in for ``_codecs.encode`` in checkpoints, where bytes are text; raises ValueError for other codecs."""
    if encoding != 'latin1':
        raise ValueError(f'the checkpoint wants the codec {encoding!r}, which pickle does not write: do not trust it')
    return text.encode('latin1')


def _history_method(owner: type, name: str) -> Callable:
    """Stand in for ``getattr`` in checkpoints; raises ValueError for anything but what mmengine puts there."""
    from mmengine.logging.history_buffer import HistoryBuffer

    if owner is not HistoryBuffer or name not in ('min', 'max', 'current', 'mean'):
        raise ValueError(
            f'the checkpoint wants getattr({owner!r}, {name!r}), which mmengine does not write: do not trust it'
        )
    return getattr(HistoryBuffer, name)


def load_checkpoints_safely() -> None:
    """Let mmengine read every checkpoint, from a file or any URL, with ``weights_only=True``.

    Its own loader of URLs lets the pickle in a download run. Here a download is read as a local file is, and keeps its
    place in the cache only if it is whole and could be read.
    """
    import torch
    from mmengine.dist import get_dist_info
    from mmengine.runner import checkpoint as module

    def load_from_local(filename: str, map_location: Any = None) -> Any:
        filename = os.path.expanduser(filename)
        if not os.path.isfile(filename):
            raise FileNotFoundError(f'{filename}: no such checkpoint')
        try:
            content = torch.load(filename, map_location=map_location, weights_only=True)
        except (OSError, MemoryError):
            raise
        except Exception as error:  # a damaged file fails in any way
            raise _unreadable(filename, error) from None
        # the text of a config, which mmengine would run as Python where a training resumes
        if isinstance(content, dict) and isinstance(content.get('meta'), dict):
            content['meta'].pop('config', None)
        return content

    def load_from_http(filename: str, map_location: Any = None, model_dir: str | None = None) -> Any:
        folder = model_dir or os.path.join(torch.hub.get_dir(), 'checkpoints')
        path = os.path.join(folder, os.path.basename(urlparse(filename).path))
        rank, world_size = get_dist_info()
        if rank == 0:
            _download_checkpoint(filename, path)
        if world_size > 1:
            torch.distributed.barrier()
            # the first process may be on another node, with a disk of its own
            _download_checkpoint(filename, path)
        return load_from_local(path, map_location)

    loader = module.CheckpointLoader
    loader._register_scheme('', load_from_local, force=True)
    loader._register_scheme(('http://', 'https://'), load_from_http, force=True)
    # torchvision:// and its like become URLs, which they read by this name
    module.load_from_http = load_from_http


def _unreadable(path: str, error: Exception) -> Exception:
    """The error of a checkpoint that cannot be read: bad input, and what ``pickle`` raises."""
    from .utils import InputError, unreadable_reason

    class UnreadableCheckpoint(InputError, pickle.UnpicklingError):
        """No checkpoint, or one that is damaged or holds more than tensors and plain values."""

    return UnreadableCheckpoint(
        f'{path}: no checkpoint that can be read safely ({unreadable_reason(error)}); name another, or copy it again'
    )


def _download_checkpoint(url: str, path: str) -> None:
    """Download a checkpoint unless it is there; a file that is cut short or cannot be read is not kept.

    Raises:
        OSError: If the server is not reached, or the connection ends early.
        pickle.UnpicklingError: If the file holds more than tensors and plain values.
    """
    import torch

    from .utils import atomic_write, progress_bar

    if os.path.exists(path):
        return
    with urlopen(Request(url, headers={'User-Agent': 'mmamr'})) as answer, atomic_write(path, 'w+b') as file:
        length = answer.headers.get('Content-Length')
        total = None if length is None else int(length)
        with progress_bar(f'download of {os.path.basename(path)}', total) as advance:
            while block := answer.read(1 << 20):
                file.write(block)
                advance(len(block))
        if total is not None and file.tell() != total:
            raise ConnectionError(f'the connection ended after {file.tell()} of {total} bytes')
        file.seek(0)
        torch.load(file, map_location='meta', weights_only=True)


def register_package_for_configs() -> None:
    """Let mmengine resolve ``_base_ = 'mmamr::amr/….py'``.

    It accepts only packages that it has heard of, and looks for an editable install in ``site-packages``, where there
    is none. Of mmseg it knows one distribution, and not the forks: where that is missing, the module is looked for.
    """
    from mmengine.config import config, utils

    utils.MODULE2PACKAGE.setdefault('mmamr', 'mmamr')
    if not _is_installed('mmsegmentation'):
        utils.MODULE2PACKAGE['mmseg'] = 'mmseg'
    installed_path = config.get_installed_path

    @functools.wraps(installed_path)
    def get_installed_path(package: str) -> str:
        path = installed_path(package)
        if not os.path.exists(path):
            spec = importlib.util.find_spec(package)
            if spec is not None and spec.origin is not None:
                return os.path.dirname(spec.origin)
        return path

    if not hasattr(installed_path, '__wrapped__'):
        config.get_installed_path = get_installed_path


def cure_spawned_workers() -> None:
    """Let a process that is spawned, not forked, apply the cures before it meets what it is to work on.

    A worker of a data loader unpickles its data set first; one of mmseg's would then be imported without a cure. What a
    process hands down to its children comes before that, and now names :func:`apply_compat`, which imports mmamr.
    """
    vars(multiprocessing.current_process())['_config']['mmamr'] = apply_compat


def let_mmseg_infer() -> None:
    """Let mmseg's ``MMSegInferencer`` and ``inference_model`` take the configs of mmamr.

    They look for ``LoadImageFromFile``, drop ``LoadAnnotations`` alone, and the function wants a ``test_pipeline``
    beside the data loader's. Where a config loads photos by ``mmamr.LoadImage``, they get its pipeline without masks.
    """
    _cure_once_imported('mmseg.apis.mmseg_inferencer', _cure_inferencer)
    _cure_once_imported('mmseg.apis.inference', _cure_inference)


def _cure_once_imported(name: str, cure: Callable[[types.ModuleType], None]) -> None:
    """Apply a cure to a module now, or when it is imported."""
    if name in sys.modules:
        cure(sys.modules[name])
    elif not any(isinstance(finder, _CuringFinder) and finder.name == name for finder in sys.meta_path):
        sys.meta_path.insert(0, _CuringFinder(name, cure))


class _CuringFinder(MetaPathFinder):
    """Finds one module as ever, and cures it when it has been imported."""

    def __init__(self, name: str, cure: Callable[[types.ModuleType], None]) -> None:
        self.name = name
        self.cure = cure

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: types.ModuleType) -> None:
                load(module)
                self.cure(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def inference_pipeline(cfg: Any) -> list[dict] | None:
    """The test pipeline of a config for photos without masks; None where it is none of mmamr's.

    Args:
        cfg (Config): Config of a segmentation model.
    """
    dataset = (cfg.get('test_dataloader') or {}).get('dataset') or {}
    steps = [dict(step) for step in dataset.get('pipeline') or cfg.get('test_pipeline') or ()]
    if not any(step['type'] in ('mmamr.LoadImage', 'LoadImage') for step in steps):
        return None
    kept = [step for step in steps if step['type'].split('.')[-1] not in ('LoadMask', 'LoadAnnotations')]
    for step in kept:
        if step['type'] in ('mmamr.LoadImage', 'LoadImage'):
            step['type'] = 'mmamr.InferencerLoader'
            if dataset.get('max_long_side') is not None:
                step['max_long_side'] = dataset['max_long_side']
    return kept


def _cure_inferencer(module: types.ModuleType) -> None:
    from mmengine.dataset import Compose

    cls = module.MMSegInferencer
    init_pipeline = cls._init_pipeline
    if hasattr(init_pipeline, '__wrapped__'):
        return

    @functools.wraps(init_pipeline)
    def _init_pipeline(self: Any, cfg: Any) -> Any:
        steps = inference_pipeline(cfg)
        return init_pipeline(self, cfg) if steps is None else Compose(steps)

    cls._init_pipeline = _init_pipeline


def _cure_inference(module: types.ModuleType) -> None:
    from mmengine.dataset import Compose, pseudo_collate

    prepare = module._preprare_data
    if hasattr(prepare, '__wrapped__'):
        return

    @functools.wraps(prepare)
    def prepare_data(imgs: Any, model: Any) -> tuple[dict, bool]:
        steps = inference_pipeline(model.cfg)
        if steps is None:
            return prepare(imgs, model)
        is_batch = isinstance(imgs, (list, tuple))
        pipeline = Compose(steps)
        return pseudo_collate([pipeline(img) for img in (imgs if is_batch else [imgs])]), is_batch

    module._preprare_data = prepare_data  # type: ignore[attr-defined]


def keep_freed_memory() -> bool:
    """Let glibc keep what is freed instead of handing it back to the kernel; the tools call it where there is no GPU.

    Every activation of a network is a block that is large enough for ``mmap``: the kernel maps and clears it page by
    page, and takes it back a layer later. On two CPU cores this cost more time than the convolutions did.

    Returns:
        bool: Whether anything was changed: not with a GPU, not without glibc, and not where ``MALLOC_*`` variables of
        the environment say what is wanted.
    """
    import torch

    if torch.cuda.is_available() or any(name.startswith('MALLOC_') for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL('libc.so.6').mallopt
    except (OSError, AttributeError):
        return False
    m_trim_threshold, m_mmap_max = -1, -4
    return bool(mallopt(m_mmap_max, 0)) and bool(mallopt(m_trim_threshold, 2**31 - 1))


def return_freed_memory() -> None:
    """Hand freed memory back to the kernel now, which glibc may have kept; a pipeline calls it between stages."""
    try:
        ctypes.CDLL('libc.so.6').malloc_trim(0)
    except (OSError, AttributeError):
        pass  # no glibc


def setup_cpu_distributed(cfg: dict, launcher: str) -> None:
    """Make several processes work without a GPU; call it before ``Runner.from_cfg``.

    mmengine would call ``torch.cuda.set_device`` and hand CUDA device ids to DDP. Here gloo is started first, which
    makes the runner skip its own start, and the model wrapper gets no device ids. With a GPU, or with one process,
    nothing is done.

    Args:
        cfg (mmengine.Config): The config; its ``model_wrapper_cfg`` is set.
        launcher (str): mmengine's launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.

    Raises:
        InputError: If there are several nodes and nothing tells the first of them.
    """
    import torch

    if launcher == 'none' or torch.cuda.is_available():
        return
    if not torch.distributed.is_initialized():
        if launcher == 'slurm':
            os.environ.setdefault('RANK', os.environ['SLURM_PROCID'])
            os.environ.setdefault('WORLD_SIZE', os.environ['SLURM_NTASKS'])
            os.environ.setdefault('LOCAL_RANK', os.environ.get('SLURM_LOCALID', '0'))
        elif launcher == 'mpi':
            os.environ.setdefault('RANK', os.environ['OMPI_COMM_WORLD_RANK'])
            os.environ.setdefault('WORLD_SIZE', os.environ['OMPI_COMM_WORLD_SIZE'])
            os.environ.setdefault('LOCAL_RANK', os.environ['OMPI_COMM_WORLD_LOCAL_RANK'])
        if 'MASTER_ADDR' not in os.environ:
            os.environ['MASTER_ADDR'] = _first_host(launcher)
        os.environ.setdefault('MASTER_PORT', '29500')
        torch.distributed.init_process_group(backend='gloo')
    cfg['model_wrapper_cfg'] = {
        'type': 'MMDistributedDataParallel',
        'broadcast_buffers': False,
        'find_unused_parameters': cfg.get('find_unused_parameters', False),
        **(cfg.get('model_wrapper_cfg') or {}),
        'device_ids': None,
    }


def leave_distributed() -> None:
    """End the process group, all processes together; nothing where there is none.

    mmengine leaves it to the end of Python. A thread of the group that is still at work then wants the interpreter,
    which is gone, and aborts the process after all is done: "terminate called without an active exception".
    """
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()


def _first_host(launcher: str) -> str:
    """Where the processes meet when ``MASTER_ADDR`` does not say: this machine, or the first node of a Slurm job."""
    from .utils import InputError

    cure = 'set MASTER_ADDR to the host name of the first node'
    if launcher == 'mpi':
        count = os.environ['OMPI_COMM_WORLD_SIZE']
        if os.environ.get('OMPI_COMM_WORLD_LOCAL_SIZE', count) != count:
            raise InputError(f'MPI runs on several nodes, and does not tell which is the first: {cure}')
    if launcher == 'slurm':
        count = os.environ.get('SLURM_NNODES') or os.environ.get('SLURM_JOB_NUM_NODES') or '1'
        if int(count) > 1:
            nodes = os.environ.get('SLURM_NODELIST') or os.environ.get('SLURM_JOB_NODELIST', '')
            try:
                answer = subprocess.run(
                    ['scontrol', 'show', 'hostnames', nodes], capture_output=True, text=True, check=True, timeout=60
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise InputError(f'scontrol does not tell the nodes of this Slurm job ({error}): {cure}') from None
            if not answer.stdout.split():
                raise InputError(f'scontrol knows no nodes of this Slurm job: {cure}')
            return answer.stdout.split()[0]
    return '127.0.0.1'
