"""What a stage finds and leaves behind in the process that it shares with other stages."""

import gc
import os
import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import torch
import torch.multiprocessing as mp
from mmengine.logging import MMLogger
from mmengine.utils import ManagerMixin

from mmamr.compat import return_freed_memory


@contextmanager
def own_globals() -> Iterator[None]:
    """Let the block find mmengine's and PyTorch's global state as at the start of a process, and put it back after.

    Loggers, message hubs, visualizers and default scopes are reached by name or as "the latest" everywhere in
    OpenMMLab; a runner also sets flags and environment variables that it never takes back. With this a stage in a
    pipeline gives what it gives alone.
    """
    known = {cls: cls._instance_dict for cls in _managers()}
    for cls in known:
        cls._instance_dict = OrderedDict()
    environment = dict(os.environ)
    cudnn = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    deterministic = torch.are_deterministic_algorithms_enabled()
    cv2_threads, start_method = cv2.getNumThreads(), mp.get_start_method(allow_none=True)
    try:
        yield
    finally:
        for logger in MMLogger._instance_dict.values():
            for handler in logger.handlers:
                handler.close()
        for cls in _managers():
            cls._instance_dict = known.get(cls, OrderedDict())
        os.environ.clear()
        os.environ.update(environment)
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = cudnn
        torch.use_deterministic_algorithms(deterministic)
        cv2.setNumThreads(cv2_threads)
        mp.set_start_method(start_method, force=True)


def _managers(cls: type[ManagerMixin] = ManagerMixin) -> Iterator[type[ManagerMixin]]:
    """All classes whose instances mmengine keeps by name."""
    yield cls
    for child in cls.__subclasses__():
        yield from _managers(child)


def free_memory() -> None:
    """Hand back to the system what a stage left behind."""
    gc.collect()  # its runner and data loaders
    return_freed_memory()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def reset_peak_memory() -> None:
    """Let :func:`peak_memory` count from now on, where the system can."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    try:
        with open('/proc/self/clear_refs', 'w') as file:
            file.write('5')
    except OSError:
        pass  # then the peak is that of the process so far


def peak_memory() -> dict[str, int]:
    """Largest memory of this process, without the workers of its data loaders, in MiB: ``cpu`` and ``gpu``.

    Windows does not tell that of the CPU, which is then left out.
    """
    gpu = torch.cuda.max_memory_allocated() >> 20 if torch.cuda.is_available() else 0
    kib = _kib('VmHWM')
    if kib is None:
        try:
            import resource
        except ImportError:
            return dict(gpu=gpu)
        kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == 'darwin' else 1)
    return dict(cpu=kib >> 10, gpu=gpu)


def held_memory() -> dict[str, int]:
    """Memory of this process now, in MiB: ``gpu``, and ``cpu`` where the system says it."""
    kib = _kib('VmRSS')
    gpu = torch.cuda.memory_allocated() >> 20 if torch.cuda.is_available() else 0
    return dict(gpu=gpu) if kib is None else dict(cpu=kib >> 10, gpu=gpu)


def _kib(name: str) -> int | None:
    """A line of Linux's description of this process, in KiB."""
    try:
        with open('/proc/self/status') as file:
            return next(int(line.split()[1]) for line in file if line.startswith(f'{name}:'))
    except (OSError, StopIteration):
        return None
