"""Where runs work that are not told where."""

import os
import os.path as osp


def default_work_dir(config: str | os.PathLike) -> str:
    """Work folder of a config that names none: ``./work_dirs/<config name>``."""
    return osp.join('./work_dirs', osp.splitext(osp.basename(config))[0])


WARNINGS_FILE = 'warnings.txt'
"""In the work folder of a stage: what a user should know of it, one line each."""
