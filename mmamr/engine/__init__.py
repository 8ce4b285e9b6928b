from .checkpoints import latest_checkpoint, resume_from_latest
from .hooks import *  # noqa: F403
from .loop_pictures import draw_loop
from .loops import *  # noqa: F403
from .optim_wrappers import *  # noqa: F403
from .test_time import apply_test_time
from .tester import build_test_runner
from .trainer import build_train_runner, train

__all__ = [
    'apply_test_time',
    'build_test_runner',
    'build_train_runner',
    'draw_loop',
    'latest_checkpoint',
    'resume_from_latest',
    'train',
]
