from .checkpoints import latest_checkpoint, resume_from_latest
from .wsss_runner import StageError, WSSSRunner

__all__ = ['StageError', 'WSSSRunner', 'latest_checkpoint', 'resume_from_latest']
