from pathlib import Path

import pytest

from mmamr.utils import default_work_dir


@pytest.mark.parametrize('config', ['configs/amr/amr_tiny.py', Path('/a/amr_tiny.py'), 'mmamr::amr/amr_tiny.py'])
def test_default_work_dir(config):
    assert default_work_dir(config) == './work_dirs/amr_tiny'
