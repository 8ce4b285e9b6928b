"""Run a script of tools/ in a process that was forked from one which has imported everything (see ``run_tool``).

Globals that are given: ``TOOL``, path of the script; ``ARGV``, its arguments; ``LOG``, file for all that it prints;
``ENV``, environment variables; ``KILL_AT``, the process kills itself when it puts that many files in place, or 0;
``PLACED``, whether the last of these is put in place before; ``BEFORE``, Python code that is executed first.
"""

import os
import runpy
import signal
import sys

import torch

log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)  # noqa: F821
os.dup2(log, 1)
os.dup2(log, 2)
os.environ.update(ENV)  # noqa: F821
torch.set_num_threads(1)
sys.argv = [TOOL, *ARGV]  # noqa: F821
sys.path.insert(0, os.path.dirname(TOOL))  # noqa: F821

replace, files = os.replace, []


def counted_replace(source, target):
    """``os.replace`` that may be the last thing the process does."""
    files.append(target)
    if len(files) == KILL_AT and not PLACED:  # noqa: F821
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
    if len(files) == KILL_AT:  # noqa: F821
        os.kill(os.getpid(), signal.SIGKILL)


os.replace = counted_replace
exec(BEFORE)  # noqa: F821
runpy.run_path(TOOL, run_name='__main__')  # noqa: F821
