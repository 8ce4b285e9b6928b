"""Convert the checkpoints of the authors' AMR code to those of mmamr: AMR, its plain CAM classifier, IRNet.

    python tools/model_converters/amr_released.py res50_amr.pth amr.pth

Which of the three a file is shows in its names. A tensor is there under several of them (``resnet50.conv1.weight``,
``stage1.0.weight`` and ``backbone.0.0.weight`` are one), which must agree; a name that no such network has, or a tensor
that is missing, is an error. Only of IRNet's file something is dropped, and named: the tables of indices, and what the
BatchNorm of the displacements counted besides their mean. The config to load the result with is printed:

    model = mmamr.apis.init_model('configs/amr/amr_resnet50_released_1xb16-8e_voc12aug-512px.py', 'amr.pth')
"""

import argparse
import os.path as osp
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import mmamr  # noqa: F401  (before torch, whose threads it lets sleep)

# isort: split
from mmengine.registry import DefaultScope
from torch import Tensor

from mmamr.apis import load_config
from mmamr.registry import MODELS
from mmamr.structures import VOC_CLASSES
from mmamr.utils import InputError, fit_tensors, one_line_errors, read_tensors, rename_tensors, write_checkpoint
from mmamr.utils.checkpoints import Rule

CONFIGS = Path(__file__).parents[2] / 'configs'


def aliases(resnet: str, stages: Sequence[str], modules: str, layers: Sequence[dict[int, str]]) -> list[Rule]:
    """Rules from the other names of a ResNet's layers to its own.

    Args:
        resnet (str): Name of the ResNet.
        stages (Sequence[str]): Names of the sequences that its layers are in too.
        modules (str): Name of the list that these sequences are in.
        layers (Sequence[dict[int, str]]): For each sequence, the layers by their places in it.

    Returns:
        list[tuple[str, str]]: See :func:`mmamr.utils.rename_tensors`.
    """
    return [
        (rf'(?:{stage}|{modules}\.{number})\.{place}\.(.+)', rf'{resnet}.{layer}.\1')
        for number, stage in enumerate(stages)
        for place, layer in layers[number].items()
    ]


# How the classifiers and IRNet cut their ResNets.
CLASSIFIER_LAYERS = ({0: 'conv1', 1: 'bn1', 4: 'layer1'}, {0: 'layer2'}, {0: 'layer3'}, {0: 'layer4'})
IRNET_LAYERS = ({0: 'conv1', 1: 'bn1'}, {0: 'layer1'}, {0: 'layer2'}, {0: 'layer3'}, {0: 'layer4'})

CAM_ALIASES = [
    *aliases('resnet50', ('stage1', 'stage2', 'stage3', 'stage4'), 'backbone', CLASSIFIER_LAYERS),
    (r'newly_added\.0\.(.+)', r'classifier.\1'),
]
AMR_ALIASES = [
    *CAM_ALIASES,
    *aliases('resnet50_2', ('stage2_1', 'stage2_2', 'stage2_3', 'stage2_4'), 'backbone2', CLASSIFIER_LAYERS),
    (r'newly_added\.1\.(.+)', r'classifier2.\1'),
]
IRNET_ALIASES = [
    *aliases('resnet50', ('stage1', 'stage2', 'stage3', 'stage4', 'stage5'), 'backbone', IRNET_LAYERS),
    (r'(?:fc_dp7|dp_layers\.6)\.4\.(.+)', r'mean_shift.\1'),
    *((rf'edge_layers\.{number}\.(.+)', rf'fc_edge{number + 1}.\1') for number in range(6)),
    *((rf'dp_layers\.{number}\.(.+)', rf'fc_dp{number + 1}.\1') for number in range(7)),
]

AMM = r'resnet50_2\.(layer\d)\.(\d)\.amm\.'
CAM_RULES = [(r'resnet50\.(.+)', r'spotlight.backbone.\1'), (r'classifier\.(.+)', r'spotlight.head.conv.\1')]
AMR_RULES = [
    (AMM + r'ChannelAMM\.mlp\.1\.(.+)', r'compensation.amm.\1-\2-bn3.amm.channel.layer.0.\3'),
    (AMM + r'ChannelAMM\.mlp\.3\.(.+)', r'compensation.amm.\1-\2-bn3.amm.channel.layer.2.\3'),
    (AMM + r'SpatialAMM\.spatial\.conv\.(.+)', r'compensation.amm.\1-\2-bn3.amm.spatial.conv.\3'),
    (AMM + r'SpatialAMM\.spatial\.bn\.(.+)', r'compensation.amm.\1-\2-bn3.amm.spatial.norm.\3'),
    (r'resnet50_2\.(.+)', r'compensation.backbone.\1'),
    (r'classifier2\.(.+)', r'compensation.head.conv.\1'),
    *CAM_RULES,
]
IRNET_RULES = [
    (r'resnet50\.(.+)', r'backbone.\1'),
    # Each level is a convolution and a norm; the last of all is a convolution alone.
    *(
        (rf'fc_edge{level + 1}\.{place}\.(.+)', rf'edge_head.levels.{level}.{layer}.\1')
        for level in range(5)
        for place, layer in enumerate(('conv', 'norm'))
    ),
    (r'fc_edge6\.(.+)', r'edge_head.predict.\1'),
    *(
        (rf'fc_dp{number}\.{place}\.(.+)', rf'displacement_head.{level}.{layer}.\1')
        for number, level in enumerate((*(f'levels.{i}' for i in range(5)), 'merge', 'join'), 1)
        for place, layer in enumerate(('conv', 'norm'))
    ),
    (r'fc_dp7\.3\.(.+)', r'displacement_head.predict.\1'),
    (r'mean_shift\.running_mean', 'mean_displacement'),
    # Older releases measure the mean by a BatchNorm, whose other statistics nothing reads.
    (r'mean_shift\.(?:running_var|num_batches_tracked)', None),
    # Pixels that paths lead over: functions of the crop and the radius, made anew here.
    (r'path_indices\d+|disp_target|ind_from|ind_to', None),
]


class Network(NamedTuple):
    """One of the released networks: a name that only it has, its other names, what they become, its config here."""

    title: str
    mark: str
    aliases: Sequence[Rule]
    rules: Sequence[Rule]
    config: str


NETWORKS = (
    Network(
        'AMR',
        r'resnet50_2\..+|stage2_1\..+',
        AMR_ALIASES,
        AMR_RULES,
        'amr/amr_resnet50_released_1xb16-8e_voc12aug-512px.py',
    ),
    Network(
        'IRNet',
        r'fc_edge1\..+|edge_layers\..+',
        IRNET_ALIASES,
        IRNET_RULES,
        'irnet/irnet_resnet50_1xb16-3e_voc12aug-512px.py',
    ),
    Network(
        'CAM classifier',
        r'classifier\..+|newly_added\..+',
        CAM_ALIASES,
        CAM_RULES,
        'amr/cam_resnet50_released_1xb16-8e_voc12aug-512px.py',
    ),
)


def find_network(path: str, names: Sequence[str]) -> Network:
    """Which of the released networks a checkpoint is.

    Raises:
        InputError: If it is none.
    """
    for network in NETWORKS:
        if any(re.fullmatch(network.mark, name) for name in names):
            return network
    raise InputError(
        f'{path}: has neither resnet50_2 (AMR) nor fc_edge1 (IRNet) nor classifier (CAM); give a '
        'checkpoint of the released AMR code'
    )


def convert(path: str) -> tuple[Network, dict[str, Tensor], list[str]]:
    """Read and rename a checkpoint.

    Args:
        path (str): The released file.

    Returns:
        tuple[Network, dict[str, Tensor], list[str]]: What it is, its state dict here, and the names in it that were
        dropped.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is none of the released networks.
    """
    tensors = read_tensors(path)
    network = find_network(path, list(tensors))
    tensors, _ = rename_tensors(path, tensors, [*network.aliases, (r'(.+)', r'\1')])
    tensors, dropped = rename_tensors(path, tensors, network.rules)
    # Here the layers of the MLP are 1x1 convolutions.
    tensors = {
        name: value[..., None, None] if '.channel.layer.' in name and value.dim() == 2 else value
        for name, value in tensors.items()
    }
    with DefaultScope.overwrite_default_scope('mmamr'):
        wanted = MODELS.build(load_config(CONFIGS / network.config).model).state_dict()
    return network, fit_tensors(path, tensors, wanted, f'{network.title} on ResNet-50'), dropped


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('input', metavar='IN.pth', help='the released file')
    parser.add_argument('output', metavar='OUT.pth', help='the checkpoint to write')
    args = parser.parse_args(argv)
    with one_line_errors():
        network, tensors, dropped = convert(args.input)
        meta = dict(converted_from=osp.basename(args.input), dataset_meta=dict(classes=VOC_CLASSES))
        write_checkpoint(args.output, tensors, meta)
    print(f'{len(tensors)} tensors of {network.title} in {args.output}, for configs/{network.config}')
    print(f'dropped: {", ".join(dropped) or "nothing"}')


if __name__ == '__main__':
    with one_line_errors(program=True):
        main()
