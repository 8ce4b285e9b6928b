import io

import mmamr.utils.progress as progress
from mmamr.utils import track, track_slow


def test_nothing_is_shown_where_nobody_looks(capsys):
    assert list(track([1, 2, 3], 'numbers')) == [1, 2, 3]
    assert list(track((n for n in range(3)), 'numbers')) == [0, 1, 2]
    captured = capsys.readouterr()
    assert captured.out == captured.err == ''


def test_bar_on_a_terminal(monkeypatch):
    stream = io.StringIO()
    console = progress.Console
    monkeypatch.setattr(progress, 'Console', lambda **kwargs: console(file=stream, force_terminal=True, width=100))
    assert list(track([1, 2, 3], 'numbers')) == [1, 2, 3]
    assert list(track((n for n in range(3)), 'generated', total=3)) == [0, 1, 2]
    assert 'numbers' in stream.getvalue() and '3/3' in stream.getvalue() and 'generated' in stream.getvalue()


def test_other_processes_are_silent(monkeypatch):
    stream = io.StringIO()
    console = progress.Console
    monkeypatch.setattr(progress, 'Console', lambda **kwargs: console(file=stream, force_terminal=True))
    monkeypatch.setattr(progress, 'is_main_process', lambda: False)
    assert list(track([1, 2], 'numbers')) == [1, 2]
    assert stream.getvalue() == ''


def test_a_slow_pass_shows_how_far_it_is(monkeypatch):
    stream = io.StringIO()
    console = progress.Console
    clock = iter(range(100))
    monkeypatch.setattr(progress, 'Console', lambda **kwargs: console(file=stream, force_terminal=True, width=100))
    monkeypatch.setattr(progress, 'monotonic', lambda: next(clock) / 2)  # half a second each time
    assert list(track_slow(range(5), 'quick')) == [0, 1, 2, 3, 4]
    assert stream.getvalue() == ''
    assert list(track_slow(range(20), 'slow')) == list(range(20))
    assert 'slow' in stream.getvalue() and '20/20' in stream.getvalue()
