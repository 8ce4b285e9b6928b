"""The report of a pipeline: one HTML file of what stands in its work folder."""

import datetime
import os.path as osp

from mmamr.utils import InputError, atomic_write

from ..manifest import Manifest
from .galleries import draw_galleries
from .page import render_page
from .work_folder import read_stages

REPORT = 'report.html'


def write_report(work_dir: str, out_file: str | None = None, num: int = 6, seed: int = 0) -> str:
    """Write the report of a pipeline that :class:`~mmamr.pipeline.WSSSRunner` ran, as far as it went.

    First everything that the pipeline made of some photos, of which the least certain ones need no masks to be found;
    then stages with their settings, times and memory, mIoU and IoU of each class, curves of thresholds and losses. What
    cannot be shown is left out, with a line that says why. The settings in the folder are read as data: nothing but
    registered classes is built from them.

    Args:
        work_dir (str): Work folder of the pipeline.
        out_file (str, optional): The file to write. Defaults to None: ``report.html`` in the work folder.
        num (int): How many photos of each kind are shown: the least certain, random ones, those of the lowest IoU.
            Defaults to 6.
        seed (int): Of the random ones. Defaults to 0.

    Returns:
        str: The file.

    Raises:
        InputError: If the folder is not that of a pipeline.
    """
    manifest = Manifest(work_dir)
    if not manifest.stages:
        raise InputError(f'{manifest.path}: no stage was run here; name the work folder of a pipeline')
    stages = read_stages(manifest)
    galleries = draw_galleries(stages, num, seed) if num > 0 else []
    config = manifest.pipeline.get('config')
    title = osp.splitext(osp.basename(config))[0] if config else osp.basename(osp.abspath(work_dir))
    started = [stage.record['started'].replace('T', ' ')[:16] for stage in stages if 'started' in stage.record]
    now = datetime.datetime.now().astimezone().strftime('%Y-%m-%d %H:%M')
    date = f'Report written {now}'
    if started:
        date = f'Stages begun {min(started)} to {max(started)}, report written {now}'
    page = render_page(title, date, config, stages, galleries)
    path = out_file or osp.join(work_dir, REPORT)
    with atomic_write(path, 'w', encoding='utf-8') as file:
        file.write(page)
    return path
