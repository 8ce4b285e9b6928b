"""Checkpoints of the released code become models here with the same maps.

The released networks are written again below, on torchvision's ResNet, from what is known of them; their state dicts
have the released names.
"""

import copy
import math
from collections import OrderedDict

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import resnet50
from torchvision.models.resnet import Bottleneck

from mmamr.apis import init_model

AMR = 'configs/amr/amr_resnet50_released_1xb16-8e_voc12aug-512px.py'
BATCH_STATS = {'model.compensation.modulation.amm.spatial.batch_stats_in_eval': True}
CAM = 'configs/amr/cam_resnet50_released_1xb16-8e_voc12aug-512px.py'
IRNET = 'configs/irnet/irnet_resnet50_1xb16-3e_voc12aug-512px.py'


def density(values):
    """Of the normal distribution that the values of the whole batch have."""
    sigma = values.std()
    return (-(values - values.mean()).square() / (2 * sigma**2)).exp() / (math.sqrt(2 * math.pi) * sigma)


class ChannelGate(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Identity(), nn.Linear(channels, channels // 16), nn.ReLU(), nn.Linear(channels // 16, channels)
        )

    def forward(self, x):
        return x * density(self.mlp(x.mean((2, 3))))[:, :, None, None]


class SpatialGate(nn.Module):
    def __init__(self):
        super().__init__()
        self.spatial = nn.Sequential(
            OrderedDict(conv=nn.Conv2d(2, 1, 7, padding=3, bias=False), bn=nn.BatchNorm2d(1, momentum=0.01))
        )

    def forward(self, x):
        return x * density(self.spatial(torch.stack([x.amax(1), x.mean(1)], 1)))


class ModulatedBottleneck(Bottleneck):
    """A block of torchvision's whose residual branch ends in AMM."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        channels = self.bn3.num_features
        self.amm = nn.Sequential(OrderedDict(ChannelAMM=ChannelGate(channels), SpatialAMM=SpatialGate()))

    def forward(self, x):
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.amm(self.bn3(self.conv3(y))) + shortcut)


def stride_16(modulated=False):
    net = resnet50()
    if modulated:
        for stage in (net.layer1, net.layer2, net.layer3, net.layer4):
            for name, block in stage.named_children():
                new = ModulatedBottleneck(
                    block.conv1.in_channels, block.conv1.out_channels, block.stride, block.downsample
                )
                setattr(stage, name, new)
    del net.fc, net.avgpool
    net.layer4[0].conv2.stride = net.layer4[0].downsample[0].stride = (1, 1)
    return net


def stages(net):
    return [
        nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool, net.layer1),
        *map(nn.Sequential, (net.layer2, net.layer3, net.layer4)),
    ]


class Classifier(nn.Module):
    def __init__(self, amr):
        super().__init__()
        self.resnet50 = stride_16()
        self.stage1, self.stage2, self.stage3, self.stage4 = stages(self.resnet50)
        self.classifier = nn.Conv2d(2048, 20, 1, bias=False)
        self.backbone = nn.ModuleList([self.stage1, self.stage2, self.stage3, self.stage4])
        self.newly_added = nn.ModuleList([self.classifier])
        if amr:
            self.resnet50_2 = stride_16(modulated=True)
            self.stage2_1, self.stage2_2, self.stage2_3, self.stage2_4 = stages(self.resnet50_2)
            self.classifier2 = nn.Conv2d(2048, 20, 1, bias=False)
            self.backbone2 = nn.ModuleList([self.stage2_1, self.stage2_2, self.stage2_3, self.stage2_4])
            self.newly_added.append(self.classifier2)

    def forward(self, x):
        spotlight = self.classifier(nn.Sequential(*self.backbone)(x))
        if not hasattr(self, 'backbone2'):
            return dict(spotlight=spotlight)
        return dict(spotlight=spotlight, compensation=self.classifier2(nn.Sequential(*self.backbone2)(x)))


class MeanShift(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer('running_mean', torch.zeros(2))

    def forward(self, x):
        return x - self.running_mean[:, None, None]


class ReleasedIRNet(nn.Module):
    def __init__(self):
        super().__init__()
        net = self.resnet50 = stride_16()
        self.backbone = nn.ModuleList(
            [
                nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool),
                *map(nn.Sequential, (net.layer1, net.layer2, net.layer3, net.layer4)),
            ]
        )
        for number, stage in enumerate(self.backbone, 1):
            setattr(self, f'stage{number}', stage)

        def level(channels_in, channels, groups, scale=1):
            layers = [nn.Conv2d(channels_in, channels, 1, bias=False), nn.GroupNorm(groups, channels)]
            if scale > 1:
                layers.append(nn.Upsample(scale_factor=scale, mode='bilinear', align_corners=False))
            return nn.Sequential(*layers, nn.ReLU())

        channels = (64, 256, 512, 1024, 2048)
        for number, (c, scale) in enumerate(zip(channels, (1, 1, 2, 4, 4)), 1):
            setattr(self, f'fc_edge{number}', level(c, 32, 4, scale))
        self.fc_edge6 = nn.Conv2d(160, 1, 1)
        for number, (c, out, scale) in enumerate(zip(channels, (64, 128, 256, 256, 256), (1, 1, 1, 2, 2)), 1):
            setattr(self, f'fc_dp{number}', level(c, out, out // 8 if out < 256 else 16, scale))
        self.fc_dp6 = level(768, 256, 16, 2)
        self.mean_shift = MeanShift()
        self.fc_dp7 = nn.Sequential(
            nn.Conv2d(448, 256, 1, bias=False),
            nn.GroupNorm(16, 256),
            nn.ReLU(),
            nn.Conv2d(256, 2, 1, bias=False),
            self.mean_shift,
        )
        self.edge_layers = nn.ModuleList([getattr(self, f'fc_edge{i}') for i in range(1, 7)])
        self.dp_layers = nn.ModuleList([getattr(self, f'fc_dp{i}') for i in range(1, 8)])
        self.register_buffer('path_indices0', torch.zeros(3, dtype=torch.long))
        self.register_buffer('disp_target', torch.zeros(3))

    def forward(self, x):
        levels = []
        for stage in self.backbone:
            x = stage(x)
            levels.append(x)

        def cut(x, like):
            return x[..., : like.shape[-2], : like.shape[-1]]

        edges = [branch(level) for branch, level in zip(self.edge_layers, levels)]
        edge = self.fc_edge6(torch.cat([cut(one, edges[0]) for one in edges], 1))
        one, two, *rest = [branch(level) for branch, level in zip(self.dp_layers, levels)]
        merged = cut(self.fc_dp6(torch.cat([cut(dp, rest[0]) for dp in rest], 1)), two)
        return edge, self.fc_dp7(torch.cat([one, two, merged], 1))


def random(net):
    """Random weights of a sensible size, statistics of the norms and the mean displacement too."""
    torch.manual_seed(0)
    for module in net.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)):
            nn.init.uniform_(module.weight, 0.2, 0.6)
            nn.init.normal_(module.bias, std=0.1)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        if isinstance(module, MeanShift):
            module.running_mean.copy_(torch.tensor([1.5, -0.5]))
    return net.eval()


@pytest.fixture(scope='module')
def main(load_tool):
    return load_tool('model_converters/amr_released.py').main


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('released')


@pytest.fixture(scope='module')
def amr(main, folder):
    """The released AMR network, and its checkpoint converted."""
    net = random(Classifier(amr=True))
    torch.save(net.state_dict(), folder / 'amr.pth')
    main([str(folder / 'amr.pth'), str(folder / 'amr_out.pth')])
    return net, str(folder / 'amr_out.pth')


def images():
    torch.manual_seed(1)
    image = torch.randn(1, 3, 65, 97)
    return torch.cat([image, image.flip(-1)])


def assert_equal(maps, expected):
    """To 1e-4 of the largest value."""
    assert maps.keys() == expected.keys()
    for name, value in expected.items():
        assert value.std() > 0 and maps[name].shape == value.shape
        assert (maps[name] - value).abs().max() <= 1e-4 * value.abs().max(), name


def test_names_are_the_released_ones(amr):
    names = amr[0].state_dict()
    for name in (
        'resnet50.conv1.weight',
        'stage1.0.weight',
        'backbone.0.4.0.conv1.weight',
        'stage2.0.3.bn3.bias',
        'resnet50_2.layer3.5.amm.ChannelAMM.mlp.1.weight',
        'stage2_4.0.2.amm.SpatialAMM.spatial.bn.running_var',
        'backbone2.3.0.2.amm.ChannelAMM.mlp.3.bias',
        'classifier.weight',
        'newly_added.1.weight',
    ):
        assert name in names


@torch.no_grad()
def test_amr_with_batch_norm_in_evaluation_mode(amr):
    net, checkpoint = amr
    model = init_model(AMR, checkpoint, device='cpu')
    x = images()
    assert_equal(model.class_maps(x), net(x))
    assert model.dataset_meta['classes'][0] == 'aeroplane'


@torch.no_grad()
def test_amr_as_released(amr):
    net, checkpoint = copy.deepcopy(amr[0]), amr[1]
    for module in net.modules():
        if isinstance(module, SpatialGate):
            module.train()  # eval() does not reach it
    x = images()
    expected = net(x)
    model = init_model(AMR, checkpoint, cfg_options=BATCH_STATS)
    assert_equal(model.class_maps(x), expected)
    # as often as one likes: the statistics of the checkpoint stay
    assert_equal(model.class_maps(x), expected)
    plain = init_model(AMR, checkpoint).class_maps(x)
    torch.testing.assert_close(plain['spotlight'], expected['spotlight'], rtol=1e-4, atol=1e-5)
    difference = (plain['compensation'] - expected['compensation']).abs().max()
    assert difference > 0.01 * expected['compensation'].abs().max()


@torch.no_grad()
def test_cam_classifier(main, folder, capsys):
    net = random(Classifier(amr=False))
    # a parallel wrapper's names, in a file of before BatchNorm counted
    state = {f'module.{name}': value for name, value in net.state_dict().items() if not name.endswith('tracked')}
    torch.save(state, folder / 'cam.pth')
    main([str(folder / 'cam.pth'), str(folder / 'cam_out.pth')])
    assert 'CAM classifier' in capsys.readouterr().out
    x = images()
    assert_equal(init_model(CAM, str(folder / 'cam_out.pth')).class_maps(x), net(x))


@torch.no_grad()
def test_irnet(main, folder, capsys):
    net = random(ReleasedIRNet())
    torch.save(net.state_dict(), folder / 'irn.pth')
    main([str(folder / 'irn.pth'), str(folder / 'irn_out.pth')])
    assert 'dropped: path_indices0, disp_target' in capsys.readouterr().out
    model = init_model(IRNET, str(folder / 'irn_out.pth'))
    x = images()[:1]
    edge, displacement = net(torch.cat([x, x.flip(-1)]))
    edge = (edge[0, 0] / 2 + edge[1, 0].flip(-1) / 2).sigmoid()
    (maps,) = model.affinity(x)
    assert_equal(maps, dict(edge=edge, displacement=displacement[0]))


def assert_one_line(main, folder, state, *parts):
    torch.save(state, folder / 'wrong.pth')
    with pytest.raises(SystemExit) as error:
        main([str(folder / 'wrong.pth'), str(folder / 'wrong_out.pth')])
    message = str(error.value)
    assert '\n' not in message and 'wrong.pth' in message and all(part in message for part in parts), message
    assert not (folder / 'wrong_out.pth').exists()


def test_every_tensor_is_accounted_for(main, folder):
    state = dict(random(Classifier(amr=False)).state_dict())
    assert_one_line(main, folder, {**state, 'ema.decay': torch.ones(1)}, '1 unknown tensors (ema.decay)')
    differs = {**state, 'stage2.0.0.conv1.weight': state['resnet50.layer2.0.conv1.weight'] + 1}
    assert_one_line(main, folder, differs, 'resnet50.layer2.0.conv1.weight and stage2.0.0.conv1.weight are one tensor')
    lost = {name: value for name, value in state.items() if not name.endswith('0.conv1.weight')}
    assert_one_line(main, folder, lost, 'is no CAM classifier on ResNet-50', 'tensors are missing')
    assert_one_line(main, folder, {**state, 'resnet50.extra': torch.ones(1)}, '1 tensors are none of it')
    assert_one_line(main, folder, {'conv1.weight': torch.ones(1)}, 'neither resnet50_2 (AMR) nor fc_edge1 (IRNet)')
    with pytest.raises(SystemExit, match=r'none\.pth: no such checkpoint'):
        main([str(folder / 'none.pth'), str(folder / 'wrong_out.pth')])


def test_any_of_the_names_suffices(main, folder):
    """Such as a file with the aliases cut away."""
    state = random(Classifier(amr=False)).state_dict()
    torch.save({k: v for k, v in state.items() if k.startswith(('stage', 'newly'))}, folder / 'cut.pth')
    main([str(folder / 'cut.pth'), str(folder / 'cut_out.pth')])
    tensors = torch.load(folder / 'cut_out.pth', weights_only=True)['state_dict']
    assert torch.equal(tensors['spotlight.backbone.layer3.1.conv2.weight'], state['resnet50.layer3.1.conv2.weight'])
    assert torch.equal(tensors['spotlight.head.conv.weight'], state['classifier.weight'])


def test_help(main, capsys):
    with pytest.raises(SystemExit, match='0'):
        main(['--help'])
    assert 'IN.pth OUT.pth' in capsys.readouterr().out
