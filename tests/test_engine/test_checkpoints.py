import pytest
import torch
from mmengine.config import Config

from mmamr.engine.checkpoints import (
    checkpoint_is_whole,
    latest_checkpoint,
    remove_checkpoints,
    resume_from_latest,
)


@pytest.fixture
def folder(tmp_path):
    for name in ('epoch_9.pth', 'epoch_10.pth', 'best_mIoU_epoch_99.pth'):
        torch.save(dict(state_dict=dict(weight=torch.ones(1000))), tmp_path / name)
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_11.pth'))
    return tmp_path


def test_only_whole_files_are_believed(folder):
    assert latest_checkpoint(str(folder)) == str(folder / 'epoch_10.pth')
    content = (folder / 'epoch_10.pth').read_bytes()
    for size in (0, 1, len(content) // 2, len(content) - 1):
        (folder / 'epoch_10.pth').write_bytes(content[:size])
        assert not checkpoint_is_whole(str(folder / 'epoch_10.pth'))
        assert latest_checkpoint(str(folder)) == str(folder / 'epoch_9.pth')
    assert latest_checkpoint(str(folder / 'none')) is None


def test_resume_or_begin(folder):
    cfg = Config(dict(work_dir=str(folder), load_from='first.pth'))
    assert resume_from_latest(cfg) == cfg.load_from == str(folder / 'epoch_10.pth') and cfg.resume
    remove_checkpoints(str(folder))
    assert list(folder.iterdir()) == []
    cfg = Config(dict(work_dir=str(folder), load_from='first.pth'))
    assert resume_from_latest(cfg) is None and cfg.load_from == 'first.pth' and not cfg.resume
