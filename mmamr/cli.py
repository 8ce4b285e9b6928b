"""The console command ``mmamr``: the scripts of ``tools/``, for those who installed a wheel."""

import os.path as osp
import sys
import types

from .utils import InputError
from .version import __version__

COMMANDS = {
    'train': ('train.py', 'train a model, or run a whole pipeline'),
    'test': ('test.py', 'make CAMs or pseudo labels, or measure a model'),
    'predict': ('predict.py', 'masks of any photos from a checkpoint'),
    'export': ('export.py', 'a checkpoint as ONNX or torch.export'),
    'check': ('dataset_converters/check_dataset.py', 'every problem of a data set at once'),
    'report': ('analysis_tools/report.py', 'the report of a pipeline again'),
    'eval-cams': ('analysis_tools/eval_cams.py', 'measure CAM files'),
    'eval-labels': ('analysis_tools/eval_labels.py', 'measure labels'),
    'vis-cams': ('analysis_tools/vis_cams.py', 'pictures of CAM files'),
    'vis-masks': ('analysis_tools/vis_masks.py', 'pictures of photo, CAM and mask'),
    'submission': ('make_voc_submission.py', "an archive for VOC's server"),
    'experiments': ('run_experiments.py', 'tables from many runs'),
    'demo': ('demo.py', 'the whole method on a small data set that draws itself'),
}
"""Script and description of each command."""


def root() -> str:
    """The folder that has ``tools`` and ``configs``: the repository, or ``.mim`` in the installed package.

    Raises:
        InputError: If they are nowhere.
    """
    package = osp.dirname(osp.abspath(__file__))
    for folder in (osp.join(package, '.mim'), osp.dirname(package)):
        if osp.isfile(osp.join(folder, 'tools', 'train.py')) and osp.isdir(osp.join(folder, 'configs')):
            return folder
    raise InputError(f'{package} has neither tools nor configs: install mmamr again')


def find_config(text: str) -> str:
    """A config by its path, or by its name below ``configs/`` of the package; other arguments stay as they are.

    Args:
        text (str): An argument, such as ``pipelines/x.py``, ``configs/pipelines/x.py`` or ``mmamr::pipelines/x.py``.

    Returns:
        str: The path of the config, where it is one of the package.
    """
    if text.startswith('-') or not text.endswith('.py') or osp.exists(text):
        return text
    name = text.removeprefix('mmamr::')
    for folder in ('configs', ''):
        path = osp.join(root(), folder, name)
        if (folder or name.startswith('configs')) and osp.isfile(path):
            return path
    return text


def usage() -> str:
    """What ``mmamr --help`` says."""
    width = max(map(len, COMMANDS))
    lines = [f'  {name:<{width}}  {text}' for name, (_, text) in COMMANDS.items()]
    return '\n'.join(
        [
            f'mmamr {__version__}: photos with image-level labels in, a segmentation model out',
            '',
            'usage: mmamr COMMAND [ARGUMENTS]; mmamr COMMAND --help says more',
            '',
            *lines,
            '',
            'A config is a file, or a name below configs/: mmamr train pipelines/CONFIG.py',
        ]
    )


def main(argv: list[str] | None = None) -> None:
    """Run a command.

    Args:
        argv (list[str], optional): Its name and arguments. Defaults to None: those of the process.

    Raises:
        SystemExit: With the exit code of the command, 2 for one that is unknown.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ('-h', '--help', 'help'):
        print(usage())
        raise SystemExit(0 if arguments else 2)
    if arguments[0] in ('-V', '--version'):
        print(f'mmamr {__version__}')
        raise SystemExit(0)
    name, *rest = arguments
    if name not in COMMANDS:
        raise SystemExit(f'mmamr: no command {name!r}; there are {", ".join(COMMANDS)}')
    try:
        script = osp.join(root(), 'tools', *COMMANDS[name][0].split('/'))
        rest = [find_config(text) for text in rest]
    except InputError as error:
        raise SystemExit(error.line) from None
    run_script(script, [f'mmamr {name}', *rest])


def run_script(script: str, argv: list[str]) -> None:
    """Run a script as Python does, but for ``argv[0]``: it is what the script calls itself.

    Args:
        script (str): The file.
        argv (list[str]): Its ``sys.argv``.
    """
    with open(script, encoding='utf-8') as file:
        code = compile(file.read(), script, 'exec')
    module = types.ModuleType('__main__')
    module.__file__ = script
    before = sys.modules.get('__main__'), sys.argv
    # worker processes look for its functions there
    sys.modules['__main__'], sys.argv = module, argv
    sys.path.insert(0, osp.dirname(script))
    try:
        exec(code, module.__dict__)
    finally:
        sys.path.remove(osp.dirname(script))
        sys.argv = before[1]
        if before[0] is not None:
            sys.modules['__main__'] = before[0]


if __name__ == '__main__':
    main()
