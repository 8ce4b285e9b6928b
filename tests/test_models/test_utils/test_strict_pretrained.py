import copy
import re

import pytest
import torch
import torchvision
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import CheckpointLoader
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmseg.models import build_segmentor

from mmamr.models import StrictPretrained
from mmamr.utils import InputError

R101 = 'configs/deeplabv2/deeplabv2_r101-d8_1xb10-20k_voc12aug-321x321.py'
# an option of it: a backbone that saw the masks of COCO
COCO = {
    'model.backbone.init_cfg.prefix': 'backbone.',
    'model.backbone.init_cfg.unused': [],
    'model.backbone.init_cfg.checkpoint': 'https://download.openmmlab.com/mmdetection/v2.0/mask_rcnn/'
    'mask_rcnn_r101_fpn_1x_coco/mask_rcnn_r101_fpn_1x_coco_20200204-1efe0ed5.pth',
}
MOBILENET = 'configs/deeplabv2/deeplabv2_mobilenet-v2-d16_1xb16-400i_voc-animals-225x225.py'


@pytest.fixture(autouse=True)
def mmseg_scope():
    with DefaultScope.overwrite_default_scope('mmseg'):
        yield


def randomised(tensors):
    """The same names and shapes with other numbers; those of variances positive."""
    generator = torch.Generator().manual_seed(0)
    return {
        name: torch.rand(tensor.shape, generator=generator) if tensor.is_floating_point() else tensor.clone()
        for name, tensor in tensors.items()
    }


def build(config, options=None):
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(options or {})
    return build_segmentor(cfg.model)


def assert_all_used(backbone, tensors):
    """Every tensor is in the backbone with its value, and the backbone has no other."""
    loaded = backbone.state_dict()
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert torch.equal(loaded[name], tensor), name


def test_torchvision_resnet101(monkeypatch):
    weights = randomised(torchvision.models.resnet101().state_dict())
    asked = []
    monkeypatch.setattr(mmengine_checkpoint, 'load_from_http', lambda url, **kwargs: asked.append(url) or weights)
    model = build(R101)
    model.init_weights()
    assert re.search(r'resnet101-\w+\.pth$', asked[0])
    assert_all_used(model.backbone, {k: v for k, v in weights.items() if not k.startswith('fc.')})
    # and the head, which the file says nothing of, has its own start
    assert 0.005 < model.decode_head.convs[0].weight.std() < 0.015


def test_openmmlab_detector_with_coco_weights(monkeypatch):
    names = {k: v for k, v in torchvision.models.resnet101().state_dict().items() if not k.startswith('fc.')}
    weights = randomised({f'backbone.{k}': v for k, v in names.items()})
    others = {'neck.lateral_convs.0.conv.weight': torch.zeros(1), 'rpn_head.rpn_conv.bias': torch.zeros(1)}
    monkeypatch.setitem(
        CheckpointLoader._schemes, 'https://', lambda url, map_location: dict(meta={}, state_dict={**weights, **others})
    )
    model = build(R101, COCO)
    model.init_weights()
    assert_all_used(model.backbone, {k.removeprefix('backbone.'): v for k, v in weights.items()})


def test_openmmlab_mobilenet_v2(monkeypatch, tmp_path):
    import mmpretrain.models  # noqa: F401
    from mmengine.registry import MODELS

    weights = randomised(
        {f'backbone.{k}': v for k, v in MODELS.build(dict(type='mmpretrain.MobileNetV2')).state_dict().items()}
    )
    torch.save(dict(meta={}, state_dict=weights), tmp_path / 'mobilenet_v2.pth')
    monkeypatch.setenv('MMAMR_MOBILENET_V2', str(tmp_path / 'mobilenet_v2.pth'))
    model = build(MOBILENET)
    model.init_weights()
    # its last convolution widens the map for classification; mmseg's backbone ends before it
    used = {k.removeprefix('backbone.'): v for k, v in weights.items() if not k.startswith('backbone.conv2.')}
    assert_all_used(model.backbone, used)


@pytest.fixture
def small():
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))


def save(path, tensors):
    torch.save(tensors, path)
    return str(path)


def test_loads_and_leaves_children_alone(small, tmp_path):
    weights = randomised(small.state_dict())
    StrictPretrained(save(tmp_path / 'w.pth', weights))(small)
    assert_all_used(small, weights)
    assert all(child.is_init for child in small)


def test_counters_of_batch_norm_may_be_missing(small, tmp_path):
    weights = {k: v for k, v in randomised(small.state_dict()).items() if 'num_batches_tracked' not in k}
    StrictPretrained(save(tmp_path / 'w.pth', weights))(small)
    assert torch.equal(small[0].weight, weights['0.weight'])


@pytest.mark.parametrize(
    'spoil, message',
    [
        (lambda w: w.pop('0.bias'), r'1 tensors not in the file \(0\.bias\)'),
        (lambda w: w.update({'fc.bias': torch.zeros(1)}), r'1 tensors not in the model \(fc\.bias\)'),
        (lambda w: w.update({'0.bias': torch.zeros(5)}), r'1 tensors of another shape \(0\.bias\)'),
    ],
)
def test_names_what_does_not_fit(small, tmp_path, spoil, message):
    weights = randomised(small.state_dict())
    before = copy.deepcopy(small.state_dict())
    spoil(weights)
    path = save(tmp_path / 'w.pth', weights)
    with pytest.raises(
        InputError, match=f'^{re.escape(path)} does not fit Sequential: {message}; name the weights .*$'
    ):
        StrictPretrained(path)(small)
    assert_all_used(small, before)


def test_wrong_prefix_or_file(small, tmp_path):
    path = save(tmp_path / 'w.pth', small.state_dict())
    with pytest.raises(ValueError, match=r'6 tensors not in the file \(0\.weight, 0\.bias, 1\.weight, …\)'):
        StrictPretrained(path, prefix='backbone.')(small)
    with pytest.raises(FileNotFoundError, match=r'none\.pth: no such weights'):
        StrictPretrained(str(tmp_path / 'none.pth'))(small)


class Bomb:
    """Runs ``open(path, 'w')`` where its pickle is read without care."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, 'w')


@pytest.mark.parametrize('place', ['file', 'url'])
@pytest.mark.parametrize(
    'content, reason',
    [
        (lambda tmp: dict(state_dict=Bomb(tmp / 'boom')), 'it is damaged, or holds more than tensors'),
        (lambda tmp: b'<html>no such page</html>', 'no weights that can be read'),
        (lambda tmp: b'', 'no weights that can be read'),
        (lambda tmp: [torch.zeros(1)], 'holds no dictionary'),
    ],
    ids=['pickle', 'page', 'empty', 'list'],
)
def test_what_holds_no_weights_is_refused_in_one_line(small, tmp_path, serve, content, reason, place):
    content = content(tmp_path)
    path = tmp_path / 'served' / 'w.pth'
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    name = str(path) if place == 'file' else f'{serve}/w.pth'
    before = copy.deepcopy(small.state_dict())
    with pytest.raises(InputError) as caught:
        StrictPretrained(name)(small)
    message = str(caught.value)
    assert message.startswith(f'{name}: ') and 'init_cfg' in message and reason in message and '\n' not in message
    assert not (tmp_path / 'boom').exists()
    assert_all_used(small, before)


def test_loads_a_url(small, tmp_path, serve):
    weights = randomised(small.state_dict())
    save(tmp_path / 'served' / 'w.pth', weights)
    StrictPretrained(f'{serve}/w.pth')(small)
    assert_all_used(small, weights)


def test_a_server_without_the_file(small, serve):
    with pytest.raises(InputError, match=rf'^{re.escape(serve)}/none\.pth: .*404.*init_cfg$'):
        StrictPretrained(f'{serve}/none.pth')(small)
