"""What a stage finds of the stage before, and what is known of its memory."""

import builtins
import sys

from mmamr.pipeline.process import peak_memory, reset_peak_memory


def test_peak_memory_holds_what_was_taken():
    block = bytearray(b'1' * (300 << 20))
    assert len(block) and peak_memory()['cpu'] > 300


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
