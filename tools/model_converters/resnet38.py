"""Convert WideResNet-38 of AffinityNet's or SEAM's release, with or without its heads, to a checkpoint of mmamr.

    python tools/model_converters/resnet38.py res38_cls.pth resnet38.pth
    python tools/model_converters/resnet38.py resnet38_aff_SEAM.pth affinitynet.pth --model affinitynet

Without --model the backbone alone is written, for init_cfg=dict(type='StrictPretrained', checkpoint='resnet38.pth'),
and all heads of the file are dropped: fc8 (classifier), f8_3, f8_4, f8_5, f9 (affinity, pixel correlation). With
--model the file must have the heads of that model and no others; of SEAM's classifier the row of the background is
dropped, which its losses and its CAMs do without. What is dropped is printed.
"""

import argparse
import os.path as osp

import mmamr  # noqa: F401  (before torch, whose threads it lets sleep)

# isort: split
import torch
from torch import Tensor

from mmamr.models import WideResNet38
from mmamr.structures import VOC_CLASSES
from mmamr.utils import InputError, fit_tensors, one_line_errors, read_tensors, rename_tensors, write_checkpoint

BACKBONE = r'((?:conv1a|b[2-7](?:_\d)?|bn7)\..+)'
HEADS = r'(?:fc8|f8_3|f8_4|f8_5|f9)\.weight'

# What becomes of the backbone and of the heads.
RULES = dict(
    backbone=[(BACKBONE, r'\1'), (HEADS, None)],
    cam=[(BACKBONE, r'spotlight.backbone.\1'), (r'fc8\.(weight)', r'spotlight.head.conv.\1')],
    seam=[
        (BACKBONE, r'spotlight.backbone.\1'),
        (r'fc8\.(weight)', r'spotlight.head.conv.\1'),
        (r'f8_3\.(weight)', r'spotlight.head.levels.0.\1'),
        (r'f8_4\.(weight)', r'spotlight.head.levels.1.\1'),
        (r'f9\.(weight)', r'spotlight.head.pcm.embed.\1'),
    ],
    affinitynet=[
        (BACKBONE, r'backbone.\1'),
        (r'f8_3\.(weight)', r'head.levels.0.\1'),
        (r'f8_4\.(weight)', r'head.levels.1.\1'),
        (r'f8_5\.(weight)', r'head.levels.2.\1'),
        (r'f9\.(weight)', r'head.fuse.\1'),
    ],
)
PREFIXES = dict(backbone='', cam='spotlight.backbone.', seam='spotlight.backbone.', affinitynet='backbone.')
DESCRIPTIONS = dict(
    backbone='WideResNet-38',
    cam='WideResNet-38 with a classifier (fc8)',
    seam='WideResNet-38 with the heads of SEAM (fc8, f8_3, f8_4, f9)',
    affinitynet='WideResNet-38 with the heads of AffinityNet (f8_3, f8_4, f8_5, f9)',
)


def head_shapes(model: str, tensors: dict[str, Tensor], channels: int) -> dict[str, Tensor]:
    """The tensors that a model has besides its backbone, by name, on the meta device.

    Args:
        model (str): Key of ``RULES``.
        tensors (dict[str, Tensor]): The renamed tensors; the number of classes is theirs.
        channels (int): ``base_channels`` of the backbone.

    Returns:
        dict[str, Tensor]: Empty for the backbone.
    """

    def conv(channels_in: int, channels_out: int) -> Tensor:
        return torch.empty(channels_out, channels_in, 1, 1, device='meta')

    if model in ('cam', 'seam'):
        classifier = tensors.get('spotlight.head.conv.weight')
        heads = {'spotlight.head.conv.weight': conv(64 * channels, 1 if classifier is None else len(classifier))}
        if model == 'seam':
            heads.update(
                {
                    'spotlight.head.levels.0.weight': conv(8 * channels, 64),
                    'spotlight.head.levels.1.weight': conv(16 * channels, 128),
                    'spotlight.head.pcm.embed.weight': conv(195, 192),
                }
            )
        return heads
    if model == 'affinitynet':
        return {
            'head.levels.0.weight': conv(8 * channels, 64),
            'head.levels.1.weight': conv(16 * channels, 128),
            'head.levels.2.weight': conv(64 * channels, 256),
            'head.fuse.weight': conv(448, 448),
        }
    return {}


def convert(path: str, model: str = 'backbone') -> tuple[dict[str, Tensor], list[str]]:
    """Read and rename a checkpoint.

    Args:
        path (str): The released file.
        model (str): Key of ``RULES``. Defaults to 'backbone'.

    Returns:
        tuple[dict[str, Tensor], list[str]]: The state dict, and the names in the file that were dropped.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is no such network.
    """
    tensors = read_tensors(path)
    if 'conv1a.weight' not in tensors:
        raise InputError(
            f'{path}: has no conv1a.weight, so it is no WideResNet-38 of AffinityNet or SEAM; give one '
            'with the torch names conv1a, b2.conv_branch2a, … bn7'
        )
    channels = tensors['conv1a.weight'].shape[0]
    renamed, dropped = rename_tensors(path, tensors, RULES[model])
    with torch.device('meta'):
        backbone = WideResNet38(base_channels=channels).state_dict()
    if model == 'seam' and 'spotlight.head.conv.weight' in renamed:
        renamed['spotlight.head.conv.weight'] = renamed['spotlight.head.conv.weight'][1:]
        dropped.append('fc8.weight[0] (background)')
    wanted = {PREFIXES[model] + name: value for name, value in backbone.items()}
    wanted.update(head_shapes(model, renamed, channels))
    return fit_tensors(path, renamed, wanted, DESCRIPTIONS[model]), dropped


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('input', metavar='IN.pth', help='the released file')
    parser.add_argument('output', metavar='OUT.pth', help='the checkpoint to write')
    parser.add_argument('--model', choices=tuple(RULES), default='backbone', help='what to write (%(default)s)')
    args = parser.parse_args(argv)
    with one_line_errors():
        tensors, dropped = convert(args.input, args.model)
        meta = dict(converted_from=osp.basename(args.input))
        classifier = tensors.get('spotlight.head.conv.weight')
        if classifier is not None and len(classifier) == len(VOC_CLASSES):
            meta['dataset_meta'] = dict(classes=VOC_CLASSES)
        write_checkpoint(args.output, tensors, meta)
    print(f'{len(tensors)} tensors of {DESCRIPTIONS[args.model]} in {args.output}')
    print(f'dropped: {", ".join(dropped) or "nothing"}')


if __name__ == '__main__':
    with one_line_errors(program=True):
        main()
