"""Parameters, operations and memory of the model of a config: what a training will need of a GPU."""

import argparse
from typing import Any

import mmamr  # noqa: F401  (before torch, whose threads it lets sleep)

# isort: split
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from prettytable import PrettyTable
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mmamr.registry import MODELS
from mmamr.utils import DictAction, InputError, merge_options, one_line_errors

GIB = 2**30


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='Memory is that of one training step in float32 with SGD: weights, gradients and momentum, and what is '
        'kept for the backward pass, computed from one image. What libraries take on top is not in it.',
    )
    parser.add_argument('config', help='config with a model to train')
    parser.add_argument(
        '--shape', type=int, nargs='+', default=[512], metavar='N', help='height and width, or both in one; 512'
    )
    parser.add_argument('--batch-size', type=int, help='images a step (default: that of the training data loader)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='override settings')
    args = parser.parse_args(argv)
    if len(args.shape) > 2:
        parser.error('--shape takes a height and a width, or one number for both')
    if min(args.shape) < 1 or (args.batch_size is not None and args.batch_size < 1):
        parser.error('--shape and --batch-size must be 1 at least')
    return args


def make_batch(model: nn.Module, height: int, width: int) -> dict[str, Any]:
    """One image of noise with a label, as the model's training takes it."""
    from mmseg.structures import SegDataSample

    from mmamr.models import BaseCAMClassifier

    if isinstance(model, BaseCAMClassifier):
        from mmpretrain.structures import DataSample

        sample = DataSample().set_gt_label([0])
    else:
        label = torch.zeros(1, height, width, dtype=torch.long)
        label[:, height // 2 :] = 1
        sample = SegDataSample(gt_sem_seg=PixelData(data=label))
    return dict(inputs=torch.rand(1, 3, height, width), data_samples=[sample])


def measure(model: nn.Module, height: int, width: int) -> dict[str, float]:
    """Run one image forwards.

    Args:
        model (nn.Module): The model.
        height (int): Height of the image in pixels.
        width (int): Its width.

    Returns:
        dict[str, float]: ``flops`` of a training's forward pass, multiplications and additions counted apart;
        ``params``; ``trained``, those of them that are; and ``kept``, bytes that wait for the backward pass.
    """
    own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            # held, so that no other storage gets its address
            kept[storage.data_ptr()] = storage
        return tensor

    model.train()
    counter = FlopCounterMode(display=False)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), counter:
        model(mode='loss', **make_batch(model, height, width))
    params = list(model.parameters())
    return dict(
        flops=counter.get_total_flops(),
        params=sum(p.numel() for p in params),
        trained=sum(p.numel() for p in params if p.requires_grad),
        kept=sum(storage.nbytes() for storage in kept.values()),
    )


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with one_line_errors():
        cfg = Config.fromfile(args.config)
        merge_options(cfg, args.cfg_options)
        trains = cfg.get('model') is not None and cfg.get('train_dataloader') is not None
        if not trains or cfg.model.type == 'NoModel':
            raise InputError(f'{args.config} trains no model')
        init_default_scope(cfg.get('default_scope', 'mmamr'))
        height, width = args.shape * 2 if len(args.shape) == 1 else args.shape
        numbers = measure(MODELS.build(cfg.model), height, width)
    batch_size = (
        args.batch_size or cfg.train_dataloader.get('batch_size') or cfg.train_dataloader.batch_sampler.batch_size
    )
    weights = 4 * (numbers['params'] + 2 * numbers['trained'])
    table = PrettyTable(['what', 'how much'], header=False, align='r')
    table.add_rows(
        [
            ('input', f'{batch_size} x 3 x {height} x {width}'),
            ('parameters', f'{numbers["params"] / 1e6:.1f} M'),
            ('of them trained', f'{numbers["trained"] / 1e6:.1f} M'),
            ('forward pass of one image', f'{numbers["flops"] / 1e9:.1f} GFLOPs'),
            ('kept for the backward pass of one image', f'{numbers["kept"] / GIB:.2f} GiB'),
            ('memory of a training step', f'{(weights + batch_size * numbers["kept"]) / GIB:.1f} GiB'),
        ]
    )
    print(table)


if __name__ == '__main__':
    with one_line_errors(program=True):
        main()
