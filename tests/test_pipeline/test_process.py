"""What the manifest says of memory is that of the stage."""

import builtins
import os
import sys

import numpy as np
import pytest

from mmamr.pipeline.process import free_memory, held_memory, peak_memory, reset_peak_memory

MIB = 1 << 20


@pytest.mark.skipif(not os.access('/proc/self/clear_refs', os.W_OK), reason='this system counts no peak anew')
def test_peak_and_held_memory_are_those_of_a_stage():
    free_memory()
    start = held_memory()['cpu']
    first = np.ones(300 * MIB, dtype=np.uint8)
    del first
    assert peak_memory()['cpu'] >= start + 290
    free_memory()
    reset_peak_memory()
    assert peak_memory()['cpu'] < start + 100  # not the peak of what was before
    second = np.ones(150 * MIB, dtype=np.uint8)
    assert start + 140 <= held_memory()['cpu'] < start + 250
    del second
    free_memory()
    assert held_memory()['cpu'] < start + 50
    assert start + 140 <= peak_memory()['cpu'] < start + 250


def test_memory_that_a_system_does_not_tell(monkeypatch):
    """As on Windows, which has neither /proc nor the module of POSIX."""
    real = builtins.open

    def no_proc(path, *args, **kwargs):
        if str(path).startswith('/proc'):
            raise FileNotFoundError(path)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(builtins, 'open', no_proc)
    assert peak_memory()['cpu'] > 0
    monkeypatch.setitem(sys.modules, 'resource', None)
    reset_peak_memory()
    assert peak_memory() == dict(gpu=0)
