"""Time a training step of IRNet against the form before: seconds, and gradients.

Ours runs the backbone with its norms folded into the convolutions and in ``channels_last``, and adds up the gradient of
the displacement loss while it computes the loss; the other one leaves that to autograd. Both have the same weights;
a step is the losses of a batch of noise and their gradients, without the optimizer. On a machine that does other work
as well, processor time is the fairer figure.

    python benchmarks/train_irnet.py --threads 1
    python benchmarks/train_irnet.py --threads 1 --backbone resnet50 --batch-size 2 --size 512
"""

import argparse
import os.path as osp

import torch
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from results import add_csv_option, in_turns, middle, write_rows
from torch import Tensor
from torch.utils.checkpoint import checkpoint

import mmamr  # noqa: F401  (before anything of OpenMMLab)
from mmamr.compat import keep_freed_memory
from mmamr.models import IRNet
from mmamr.models.losses.pairs import BACKGROUND, FOREGROUND, pair_labels, shift
from mmamr.refine.paths import displacements
from mmamr.registry import MODELS

CONFIGS = osp.join(osp.dirname(osp.abspath(__file__)), '..', 'configs', 'irnet')
BACKBONES = dict(
    mobilenet='irnet_mobilenet-v2_1xb16-4e_voc-animals-257px.py', resnet50='irnet_resnet50_1xb16-3e_voc12aug-512px.py'
)


def plain_loss(model: IRNet, inputs: Tensor, samples: list[SegDataSample]) -> dict[str, Tensor]:
    """The losses with the backbone as it is, and the displacement loss by autograd."""
    features, size = model.extract_feat(inputs), inputs.shape[-2:]
    segmap = model.label_map(samples, stride=4)
    field = model.displacement_head(features, size).float()
    radius = model.displacement_head.loss_displacement.radius
    totals, counts = field.new_zeros(2), field.new_zeros(2)
    for dy, dx in displacements(radius):
        labels = pair_labels(segmap, dy, dx, radius)
        masks = torch.stack([labels == kind for kind in (FOREGROUND, BACKGROUND)])
        totals = totals + checkpoint(sums, field, masks, dy, dx, radius, use_reentrant=False)
        counts = counts + masks.sum(dim=(1, 2, 3))
    return {**model.edge_head.loss(features, size, segmap), 'displacement': (totals / (2 * counts + 1e-5)).sum() / 2}


def sums(field: Tensor, masks: Tensor, dy: int, dx: int, radius: int) -> Tensor:
    """Sums over the foreground and the background pairs of one offset."""
    difference = shift(field, 0, 0, radius) - shift(field, dy, dx, radius)
    between = difference.new_tensor((dy, dx)).view(1, 2, 1, 1)
    foreground, background = masks.unsqueeze(2)
    return torch.stack((((difference - between).abs() * foreground).sum(), (difference.abs() * background).sum()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--backbone', choices=BACKBONES, default='mobilenet')
    parser.add_argument('--batch-size', type=int, default=8, help='default: 8')
    parser.add_argument('--size', type=int, default=257, help='side of the images; default: 257')
    parser.add_argument('--repeats', type=int, default=5, help='of which the median is shown')
    parser.add_argument('--threads', type=int, default=2)
    add_csv_option(parser)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    keep_freed_memory()  # as tools/train.py does
    settings = Config.fromfile(osp.join(CONFIGS, BACKBONES[args.backbone])).model
    settings.backbone.pop('init_cfg', None)
    model = MODELS.build(settings)
    for norm in model.backbone.modules():  # the statistics of noise
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.train()
            norm.momentum = 1.0
    with torch.no_grad():
        model.backbone(torch.randn(2, 3, 128, 128))
    model.train()
    images = torch.randn(args.batch_size, 3, args.size, args.size)
    samples = []
    for _ in images:
        label = torch.randint(0, 3, (1, args.size // 32 + 1, args.size // 32 + 1)).repeat_interleave(32, 1)
        data = label.repeat_interleave(32, 2)[:, : args.size, : args.size]
        samples.append(SegDataSample(gt_sem_seg=PixelData(data=data)))
    gradients: dict[str, dict[str, Tensor]] = {}

    def step(name: str) -> None:
        model.zero_grad()
        losses = plain_loss(model, images, samples) if name == 'as before' else model.loss(images, samples)
        sum(losses.values()).backward()
        gradients[name] = {key: one.grad for key, one in model.named_parameters() if one.grad is not None}

    names = ('as before', 'ours')
    for name in names:  # the first steps make kernels, and the copy
        step(name)
    times = in_turns({name: lambda name=name: step(name) for name in names}, args.repeats)
    rows = []
    for name, values in times.items():
        reference = gradients['as before']
        difference = max(
            float((one - reference[key]).abs().max() / reference[key].abs().max().clamp(min=1e-12))
            for key, one in gradients[name].items()
        )
        rows.append(
            {
                'images': f'{args.batch_size} of {args.size}x{args.size}, {args.backbone}',
                'form': name,
                'processor time a step (s)': f'{middle(values):.3f}',
                'ratio': f'{middle([one / other for one, other in zip(times["as before"], values)]):.2f}',
                'largest difference of a gradient, of its largest': f'{difference:.1e}',
            }
        )
        print(*(f'{key}: {value}' for key, value in rows[-1].items()), sep=', ')
    write_rows(args.csv, rows)


if __name__ == '__main__':
    main()
