"""Exports are checked against the model, and run where mmamr cannot be imported."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmamr.apis import CAMInferencer, SegInferencer, export
from mmamr.utils import InputError

ALONE = """
import runpy, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('mmamr', 'torch', 'mmengine', 'mmcv', 'mmseg', 'mmpretrain', 'cv2'):
            raise ImportError(name + ' is blocked')

sys.meta_path.insert(0, Blocked())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""
needs_onnx = pytest.mark.skipif(
    any(not __import__('importlib.util').util.find_spec(name) for name in ('onnx', 'onnxruntime', 'onnxscript')),
    reason='onnx, onnxruntime or onnxscript is not installed',
)

DIM = getattr(getattr(torch, 'export', None), 'Dim', None)
needs_dim = pytest.mark.skipif(not hasattr(DIM, 'DYNAMIC'), reason='needs torch 2.6')


def run_alone(*arguments):
    """Run a script in a process without mmamr and torch."""
    command = [sys.executable, '-c', ALONE, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@needs_onnx
def test_a_segmentation_model_as_onnx(trained, tmp_path):
    photos = [f'{trained.photos}/img_{number:02d}.jpg' for number in (0, 1, 3)]
    exported = export(trained.segmentation, str(tmp_path / 'my model.onnx'), photos=photos)
    assert list(exported.differences) == photos and max(exported.differences.values()) < 1e-4
    assert {path.name for path in tmp_path.iterdir()} == {'my model.onnx', 'run_my model.py'}

    onnxruntime = import_module('onnxruntime')
    session = onnxruntime.InferenceSession(str(tmp_path / 'my model.onnx'))
    classes = json.loads(session.get_modelmeta().custom_metadata_map['classes'])
    assert [one['name'] for one in classes] == ['background', 'disc', 'square', 'cross']
    inferencer = SegInferencer(trained.segmentation, device='cpu')
    for shape in ((1, 48, 64, 3), (3, 33, 41, 3), (2, 9, 150, 3)):
        images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        scores, mask = session.run(['scores', 'mask'], {'image': images})
        own = [inferencer.probabilities([image])[0].numpy() for image in images]
        assert np.abs(scores - own).max() < 1e-4 and mask.dtype == np.uint8
        assert np.array_equal(mask, scores.argmax(1))

    script = Path(exported.script)
    assert len([line for line in script.read_text().splitlines() if line.strip()]) <= 16
    run_alone(script, photos[0], tmp_path / 'mask.png')
    mask = Image.open(tmp_path / 'mask.png')
    assert mask.mode == 'P' and mask.getpalette()[3:6] == classes[1]['color']
    own = inferencer(photos[0])['predictions'][0]['sem_seg']
    assert (np.asarray(mask) != own).mean() < 1e-3 and len(np.unique(own)) > 1


@needs_onnx
@pytest.mark.slow
def test_a_classifier_as_onnx(trained, tmp_path):
    exported = export(trained.classifier, str(tmp_path / 'tags.onnx'))
    assert max(exported.differences.values()) < 1e-4
    photo = f'{trained.photos}/img_00.jpg'
    scores = json.loads(run_alone(exported.script, photo))
    own = CAMInferencer(trained.classifier, device='cpu')(photo)['predictions'][0]['scores']
    assert scores == pytest.approx(own, abs=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(getattr(getattr(torch, 'export', None), 'Dim', None), 'DYNAMIC'), reason='needs torch 2.6'
)
def test_a_program_of_torch(trained, tmp_path):
    exported = export(trained.segmentation, str(tmp_path / 'model.pt2'), format='torch-export')
    assert max(exported.differences.values()) < 1e-4 and exported.script is None
    notes = {'classes': ''}
    program = torch.export.load(str(tmp_path / 'model.pt2'), extra_files=notes).module()
    assert len(json.loads(notes['classes'])) == 4
    scores, mask = program(torch.zeros(1, 50, 40, 3, dtype=torch.uint8))
    assert scores.shape == (1, 4, 50, 40) and mask.shape == (1, 50, 40)


def test_a_model_that_differs_is_not_written(trained, tmp_path, monkeypatch):
    pytest.importorskip('onnxruntime')
    module = sys.modules['mmamr.apis.export']
    monkeypatch.setattr(module, 'write_onnx', lambda model, path, notes: Path(path).write_bytes(b''))
    for value in (0.7, float('nan')):

        def run(images, value=value):
            return [np.full((1, 4, *images.shape[1:3]), value)]

        monkeypatch.setattr(module, 'onnx_runner', lambda path, run=run: run)
        with pytest.raises(InputError, match=r'^[^\n]*m.onnx is not written: on a made-up image[^\n]*more than 0.0001'):
            export(trained.segmentation, str(tmp_path / 'm.onnx'))
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported_is_one_line(trained, tmp_path, monkeypatch):
    with pytest.raises(InputError, match='is called'):
        export(trained.segmentation, str(tmp_path / 'model.pt'))
    with pytest.raises(InputError, match='there are onnx'):
        export(trained.segmentation, str(tmp_path / 'model.onnx'), format='tflite')
    monkeypatch.setitem(sys.modules, 'onnx', None)
    with pytest.raises(InputError, match=r"^onnx is not installed.*pip install 'mmamr\[export\]'$"):
        export(trained.segmentation, str(tmp_path / 'model.onnx'))
    monkeypatch.undo()
    (tmp_path / 'run_model.py').write_text('# my own\n')
    pytest.importorskip('onnxruntime')
    with pytest.raises(InputError, match='in the way'):
        export(trained.segmentation, str(tmp_path / 'model.onnx'))
    assert (tmp_path / 'run_model.py').read_text() == '# my own\n'
