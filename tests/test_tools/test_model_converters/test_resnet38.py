"""Released WideResNet-38 checkpoints become those of the models here, tensor by tensor."""

import pytest
import torch
import torch.nn.functional as F

from mmamr.apis import init_model
from mmamr.models import WideResNet38
from mmamr.registry import MODELS
from mmamr.structures import VOC_CLASSES

BACKBONE = dict(type='WideResNet38', base_channels=8)
HEADS = {'fc8': (512, 5), 'f8_3': (64, 64), 'f8_4': (128, 128), 'f8_5': (512, 256), 'f9': (448, 448)}
SEAM_HEADS = {'fc8': (512, 6), 'f8_3': (64, 64), 'f8_4': (128, 128), 'f9': (195, 192)}


@pytest.fixture(scope='module')
def main(load_tool):
    return load_tool('model_converters/resnet38.py').main


def released(*heads, shapes=HEADS):
    torch.manual_seed(0)
    state = {
        name: torch.rand(value.shape) + 0.5 if name.endswith('running_var') else torch.randn(value.shape) / 10
        for name, value in WideResNet38(8).state_dict().items()
    }
    # as old as the releases are
    state = {name: value for name, value in state.items() if not name.endswith('num_batches_tracked')}
    for head in heads:
        channels_in, channels_out = shapes[head]
        state[f'{head}.weight'] = torch.randn(channels_out, channels_in, 1, 1)
    return state


def save(tmp_path, state):
    torch.save(state, tmp_path / 'in.pth')
    return [str(tmp_path / 'in.pth'), str(tmp_path / 'out.pth')]


def assert_one_line(main, argv, *parts):
    with pytest.raises(SystemExit) as error:
        main(argv)
    message = str(error.value)
    assert '\n' not in message and all(part in message for part in parts), message


@pytest.mark.parametrize('heads', [(), ('fc8',), ('fc8', 'f8_3', 'f8_4', 'f9'), ('f8_3', 'f8_4', 'f8_5', 'f9')])
def test_backbone(main, tmp_path, capsys, heads):
    state = released(*heads)
    main(save(tmp_path, state))
    out = capsys.readouterr().out
    assert f'dropped: {", ".join(f"{head}.weight" for head in heads) or "nothing"}' in out
    checkpoint = str(tmp_path / 'out.pth')
    backbone = MODELS.build({**BACKBONE, 'init_cfg': dict(type='StrictPretrained', checkpoint=checkpoint)})
    backbone.init_weights()
    for name, value in backbone.state_dict().items():
        assert torch.equal(value, state[name]) if name in state else value == 0


def test_cam_classifier(main, tmp_path, capsys):
    state = released('fc8')
    main([*save(tmp_path, state), '--model', 'cam'])
    assert 'dropped: nothing' in capsys.readouterr().out
    head = dict(type='CAMHead', num_classes=5, in_channels=512)
    (tmp_path / 'config.py').write_text(
        f'model = {dict(type="CAMClassifier", spotlight=dict(backbone=BACKBONE, head=head))}'
    )
    model = init_model(tmp_path / 'config.py', tmp_path / 'out.pth')
    assert torch.equal(model.spotlight.head.conv.weight, state['fc8.weight'])
    assert torch.equal(model.spotlight.backbone.b7.conv_branch1.weight, state['b7.conv_branch1.weight'])


def test_affinitynet(main, tmp_path, capsys):
    state = released('f8_3', 'f8_4', 'f8_5', 'f9')
    main([*save(tmp_path, state), '--model', 'affinitynet'])
    assert 'dropped: nothing' in capsys.readouterr().out
    model = dict(
        type='AffinityNet',
        backbone={**BACKBONE, 'out_indices': (2, 3, 5)},
        head=dict(type='AffinityHead', in_channels=(64, 128, 512)),
    )
    (tmp_path / 'config.py').write_text(f'model = {model}')
    head = init_model(tmp_path / 'config.py', tmp_path / 'out.pth').head
    for conv, name in zip((*head.levels, head.fuse), ('f8_3', 'f8_4', 'f8_5', 'f9')):
        assert torch.equal(conv.weight, state[f'{name}.weight'])


def test_seam(main, tmp_path, capsys):
    state = released(*SEAM_HEADS, shapes=SEAM_HEADS)
    main([*save(tmp_path, state), '--model', 'seam'])
    assert 'dropped: fc8.weight[0] (background)' in capsys.readouterr().out
    head = dict(type='SEAMHead', num_classes=5, in_channels=(64, 128, 512))
    branch = dict(type='SEAMBranch', backbone={**BACKBONE, 'out_indices': (2, 3, 5)}, head=head)
    (tmp_path / 'config.py').write_text(f'model = {dict(type="CAMClassifier", spotlight=branch)}')
    model = init_model(tmp_path / 'config.py', tmp_path / 'out.pth')
    head = model.spotlight.head
    assert torch.equal(head.conv.weight, state['fc8.weight'][1:])
    assert torch.equal(head.pcm.embed.weight, state['f9.weight'])
    assert torch.equal(head.levels[1].weight, state['f8_4.weight'])
    with torch.no_grad():
        x = torch.randn(1, 3, 40, 48)
        torch.testing.assert_close(model.spotlight.maps_and_refined(x)[1][:, 1:], released_seam(model, state, x))
    assert_one_line(main, [*save(tmp_path, released('fc8')), '--model', 'seam'], '3 tensors are missing')


@pytest.mark.parametrize('classes', [20, 3])
def test_a_classifier_of_voc_knows_its_classes(main, tmp_path, classes):
    state = dict(released(), **{'fc8.weight': torch.ones(classes, 512, 1, 1)})
    main([*save(tmp_path, state), '--model', 'cam'])
    meta = torch.load(tmp_path / 'out.pth', weights_only=True)['meta']
    assert meta.get('dataset_meta') == (dict(classes=VOC_CLASSES) if classes == 20 else None)


def released_seam(model, state, x):
    """SEAM's refined maps, with the names and the background of the release."""
    conv4, conv5, conv6 = model.spotlight.backbone(x)
    cam = F.conv2d(conv6, state['fc8.weight']).relu()
    size = cam.shape[2:]
    cam = (cam - 1e-5).relu() / (cam.flatten(2).max(2).values[..., None, None] + 1e-5)
    cam[:, 0] = 1 - cam[:, 1:].max(1).values
    best = cam[:, 1:].max(1, keepdim=True).values
    cam[:, 1:][cam[:, 1:] < best] = 0
    f = torch.cat(
        [
            F.interpolate(x, size, mode='bilinear', align_corners=True),
            F.conv2d(conv4, state['f8_3.weight']).relu(),
            F.conv2d(conv5, state['f8_4.weight']).relu(),
        ],
        1,
    )
    f = F.conv2d(f, state['f9.weight']).flatten(2)
    f = f / (f.norm(dim=1, keepdim=True) + 1e-5)
    similarity = torch.einsum('nci,ncj->nij', f, f).relu()
    similarity = similarity / (similarity.sum(1, keepdim=True) + 1e-5)
    return torch.einsum('nki,nij->nkj', cam.flatten(2), similarity).unflatten(2, size)[:, 1:]


def test_wrong_files(main, tmp_path):
    assert_one_line(main, save(tmp_path, {'layer1.weight': torch.ones(1)}), 'in.pth', 'has no conv1a.weight')
    state = released('fc8')
    assert_one_line(main, [*save(tmp_path, state), '--model', 'affinitynet'], '1 unknown tensors (fc8.weight)')
    assert_one_line(main, [*save(tmp_path, released()), '--model', 'cam'], '1 tensors are missing (spotlight.head')
    state['extra'] = torch.ones(1)
    assert_one_line(main, save(tmp_path, state), 'in.pth', '1 unknown tensors (extra)')
    state = released()
    del state['b4_5.conv_branch2b1.weight']
    assert_one_line(main, save(tmp_path, state), 'in.pth', '1 tensors are missing (b4_5.conv_branch2b1.weight)')
    state['b4_5.conv_branch2b1.weight'] = torch.ones(1)
    assert_one_line(main, save(tmp_path, state), 'have other shapes (b4_5.conv_branch2b1.weight)')
    assert_one_line(main, [str(tmp_path / 'none.pth'), 'out.pth'], 'none.pth: no such checkpoint')
    assert not (tmp_path / 'out.pth').exists()


def test_help(main, capsys):
    with pytest.raises(SystemExit, match='0'):
        main(['--help'])
    assert 'IN.pth OUT.pth' in capsys.readouterr().out
