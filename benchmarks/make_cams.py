"""Time CAM making against a plain loop on the same photos and weights: images a second, and how far the CAMs differ.

The plain loop does as the released code: one image, one scale, one mirror image at a time, in the memory format that
comes, each branch with all of its layers. Ours is what the CAM stage runs: images of one size in a batch with their
mirror images, in ``channels_last``, BatchNorm folded into the convolutions, layers that both branches share computed
once, with freed memory kept. Weights are random unless ``--pretrained`` is given; the time does not depend on them, the
difference in half precision does. On a machine that does other work as well, processor time is the fairer figure.

    python benchmarks/make_cams.py
    python benchmarks/make_cams.py --backbone mobilenet --images 16
    python benchmarks/make_cams.py --pretrained --precision bfloat16 --data-root data/VOCdevkit/VOC2012
"""

import argparse
import copy
import itertools
import os.path as osp
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import Tensor, nn

import mmamr  # noqa: F401  (before anything of OpenMMLab)
from mmamr.cams import multi_scale_maps, normalize_maps, resize_images
from mmamr.compat import keep_freed_memory
from mmamr.datasets.splits import read_ids
from mmamr.fileio import read_image
from mmamr.models.utils import SharedLayer, folded_norms
from mmamr.registry import MODELS
from mmamr.structures import strided_size

CONFIGS = osp.join(osp.dirname(osp.abspath(__file__)), '..', 'configs', 'amr')
BACKBONES = dict(
    resnet50='amr_resnet50_paper_1xb16-8e_voc12aug-512px.py', mobilenet='amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
)
DTYPES = dict(float32=None, bfloat16=torch.bfloat16, float16=torch.float16)
SIZES = ((375, 500), (375, 500), (333, 500), (500, 375))
SCALES = (1.0, 0.5, 0.75, 1.25, 1.5, 1.75, 2.0)

Maps = dict[str, Tensor]


class Result(NamedTuple):
    """CAMs of all images and the seconds that they took."""

    cams: list[Maps]
    clock: float
    cores: float


def build_model(backbone: str, pretrained: bool) -> nn.Module:
    """A classifier with both branches in evaluation mode: random weights, or backbones from the weights of its config.

    With random weights BatchNorm gets the statistics of noise, so that features are as large as trained ones.
    """
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(osp.join(CONFIGS, BACKBONES[backbone])).model).requires_grad_(False)
    model.eval()
    if pretrained:
        model.init_weights()
        return model
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    model.class_maps(torch.randn(2, 3, 128, 128))
    for norm in norms:
        norm.eval()
    return model


def separate_branches(model: nn.Module) -> nn.Module:
    """The same model whose branches share nothing."""
    model = copy.deepcopy(model)
    backbone = model.compensation.backbone
    for name, layer in list(backbone.named_children()):
        if isinstance(layer, SharedLayer):
            setattr(backbone, name, copy.deepcopy(layer.layer))
    model.shared_layers = []
    return model


def load_images(model: nn.Module, count: int, data_root: str, split: str) -> list[Tensor]:
    """Normalised images ``(1, 3, H, W)``: photos of a data set, or noise of sizes that are common in VOC."""
    if data_root:
        ids = read_ids(osp.join(data_root, split))[:count]
        photos = [read_image(osp.join(data_root, 'JPEGImages', f'{img_id}.jpg')) for img_id in ids]
    else:
        rng = np.random.default_rng(0)
        photos = [
            rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in itertools.islice(itertools.cycle(SIZES), count)
        ]
    return [
        model.data_preprocessor(dict(inputs=[torch.from_numpy(photo.transpose(2, 0, 1).copy())]), False)['inputs']
        for photo in photos
    ]


def plain_loop(model: nn.Module, images: list[Tensor], scales: tuple[float, ...]) -> list[Maps]:
    """One image, one scale, one mirror image at a time."""
    cams = []
    for image in images:
        size = strided_size(image.shape[2:])
        sums: Maps = {}
        for scale in scales:
            for flip in (False, True):
                view = resize_images(image, scale)
                view = view.flip(3) if flip else view
                for branch, maps in model.class_maps(view).items():
                    maps = maps.flip(3) if flip else maps
                    maps = F.interpolate(maps.relu(), size, mode='bilinear', align_corners=False)
                    sums[branch] = sums.get(branch, 0) + maps
        cams.append({branch: normalize_maps(maps[0]) for branch, maps in sums.items()})
    return cams


def batches(
    model: nn.Module, images: list[Tensor], scales: tuple[float, ...], batch_size: int, precision: str
) -> list[Maps]:
    """Images of one size together, as the CAM stage makes them."""
    model.to(memory_format=torch.channels_last)
    order = sorted(range(len(images)), key=lambda index: images[index].shape[2:])
    cams: list[Maps] = [{} for _ in images]
    dtype = DTYPES[precision]
    device = images[0].device
    with folded_norms(model, torch.linspace(-2, 2, 3 * 64 * 64, device=device).view(1, 3, 64, 64)):
        for size, group in itertools.groupby(order, key=lambda index: images[index].shape[2:]):
            group = list(group)
            for start in range(0, len(group), batch_size):
                part = group[start : start + batch_size]
                with torch.autocast(device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None):
                    sums = multi_scale_maps(
                        model.class_maps, torch.cat([images[index] for index in part]), strided_size(size), scales
                    )
                for row, index in enumerate(part):
                    cams[index] = {branch: normalize_maps(maps[row]) for branch, maps in sums.items()}
    return cams


def measure(make: Callable, model: nn.Module, images: list[Tensor], *args) -> Result:
    """Time one pass over all images, after a first one over a small image."""
    with torch.inference_mode():
        make(model, [images[0][..., :64, :64].contiguous()], *args)
        clock, cores = time.perf_counter(), time.process_time()
        cams = make(model, images, *args)
        return Result(cams, time.perf_counter() - clock, time.process_time() - cores)


def difference(one: Result, other: Result) -> float:
    """The largest difference between the normalised maps of two results."""
    return max(float((a[branch] - b[branch]).abs().max()) for a, b in zip(one.cams, other.cams) for branch in a)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--backbone', choices=BACKBONES, default='resnet50')
    parser.add_argument('--images', type=int, default=4, help='number of images; default: 4')
    parser.add_argument('--batch-size', type=int, default=4, help='images of one size in a batch at most; default: 4')
    parser.add_argument('--scales', type=float, nargs='+', default=SCALES, help=f'default: {SCALES}')
    parser.add_argument('--precision', choices=DTYPES, default='float32', help='one more row in this precision')
    parser.add_argument('--data-root', default='', help='VOC-layout folder; without it noise of common sizes is used')
    parser.add_argument('--split', default='ImageSets/Segmentation/train.txt', help='list of images below --data-root')
    parser.add_argument(
        '--pretrained', action='store_true', help='start the backbones from the weights that the config names'
    )
    parser.add_argument('--threads', type=int, default=2)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    scales = tuple(args.scales)
    model = build_model(args.backbone, args.pretrained)
    images = load_images(model, args.images, args.data_root, args.split)
    rows = {'plain loop': measure(plain_loop, separate_branches(model), images, scales)}
    keep_freed_memory()  # as tools/test.py does; it cannot be taken back, so the plain loop goes first
    for precision in dict.fromkeys(('float32', args.precision)):
        rows[f'batches, {precision}'] = measure(batches, model, images, scales, args.batch_size, precision)

    plain = rows['plain loop']
    print(
        f'{len(images)} images, {len(scales)} scales with mirror images, {args.backbone}, two branches, '
        f'{args.threads} threads'
    )
    for name, row in rows.items():
        print(
            f'{name:20s} {len(images) / row.clock:7.3f} images/s  {row.cores / len(images):7.2f} core seconds/image  '
            f'{plain.clock / row.clock:5.2f}x by the clock  {plain.cores / row.cores:5.2f}x by the cores  '
            f'largest difference {difference(plain, row):.1e}'
        )


if __name__ == '__main__':
    main()
