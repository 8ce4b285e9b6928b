"""Run mmamr on a GPU: is it equal to the CPU, do half precisions stay finite, how fast is it, does the method run.

Models have random weights and data are made here, so that nothing is downloaded. Each part writes a CSV into ``--out``
when it is done; a second call makes only those that are not there, and writes ``gpu.md`` of all. With ``--dry-run`` all
parts run on the CPU with small networks: that checks this script, and measures nothing.

=========  ==============================================================================================
equal      largest difference between CPU and GPU, float32 without TF32, relative to the largest value
amp        losses of training steps in float16 and bfloat16
speed      images a second and memory, beside the published way and the peak of matrix products
chain      the pipeline of the embedded data set, every stage
launch     ``dist_train.sh`` with one process, killed and resumed
=========  ==============================================================================================

    python benchmarks/gpu.py --out work_dirs/gpu
"""

import argparse
import copy
import csv
import json
import math
import os
import os.path as osp
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from make_cams import batches, plain_loop, separate_branches  # the benchmark beside this one
from mmengine.config import Config
from mmengine.optim import AmpOptimWrapper
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from mmpretrain.structures import DataSample
from mmseg.structures import SegDataSample
from random_walk import dense_random_walk
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mmamr.cams import Climbing
from mmamr.engine import CPUAmpOptimWrapper, latest_checkpoint
from mmamr.refine import dense_crf, random_walk
from mmamr.registry import MODELS
from mmamr.utils import atomic_write

ROOT = osp.join(osp.dirname(osp.abspath(__file__)), '..')
PIPELINE = 'configs/pipelines/amr_resnet18-w16_irnet_deeplabv2_embedded.py'
CLASSIFIER = 'configs/amr/amr_resnet18-w16_1xb8-12e_embedded-112px.py'
SCALES = (1.0, 0.5, 0.75, 1.25, 1.5, 1.75, 2.0)
TEST_SCALES = (0.5, 0.75, 1.0, 1.25, 1.5)
PHOTO = (375, 500)

Row = dict[str, Any]


class Network(NamedTuple):
    """Configs of a network as published and of a small one, and the side and number of the images that it trains on."""

    published: str
    small: str
    side: int
    batch: int


NETWORKS = {
    'AMR': Network(
        'amr/amr_resnet50_paper_1xb16-8e_voc12aug-512px.py',
        'amr/amr_resnet18-w16_1xb8-12e_embedded-112px.py',
        512,
        16,
    ),
    'SEAM': Network(
        'seam/seam_resnet38_1xb8-8e_voc12aug-448px.py', 'seam/seam_mobilenet-v2_1xb16-4e_voc-animals-225px.py', 448, 8
    ),
    'IRNet': Network(
        'irnet/irnet_resnet50_1xb16-3e_voc12aug-512px.py',
        'irnet/irnet_resnet18-w16_1xb16-16e_embedded-112px.py',
        512,
        16,
    ),
    'AffinityNet': Network(
        'affinitynet/affinitynet_resnet50_1xb8-8e_voc12aug-448px.py',
        'affinitynet/affinitynet_resnet18-w16_1xb16-8e_embedded-112px.py',
        448,
        8,
    ),
    'DeepLab-v2': Network(
        'deeplabv2/deeplabv2_r101-d8_1xb10-20k_voc12aug-321x321.py',
        'deeplabv2/deeplabv2_resnet18-w16-d8_1xb16-800i_embedded-96x96.py',
        321,
        10,
    ),
}


class Bench:
    """Where the parts run, and how large.

    Args:
        device (str): Device that is compared with the CPU.
        dry (bool): Small networks, small images, one repeat.
        out (str): Folder of all results.
    """

    def __init__(self, device: str, dry: bool, out: str) -> None:
        self.device = torch.device(device)
        self.dry = dry
        self.out = out

    def model(self, name: str) -> nn.Module:
        """A network in training mode on the CPU; BatchNorm has the statistics of noise, nothing is dropped."""
        network = NETWORKS[name]
        cfg = Config.fromfile(osp.join(ROOT, 'configs', network.small if self.dry else network.published))
        torch.manual_seed(0)
        with DefaultScope.overwrite_default_scope(cfg.default_scope):
            model = MODELS.build(cfg.model)
        for layer in model.modules():
            if isinstance(layer, (nn.Dropout, nn.Dropout2d)):
                layer.p = 0.0
        model.train()
        norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
        modes = [norm.training for norm in norms]
        for norm in norms:
            norm.train()
            norm.momentum = 1.0
        with torch.no_grad():
            self.loss(model, self.batch(name, 2, 129))
        for norm, mode in zip(norms, modes):
            norm.train(mode)
            norm.momentum = 0.1
        return model

    def batch(self, name: str, count: int, side: int) -> tuple[Tensor, list]:
        """Normalised images of noise, with tags for a classifier and with labels in blocks for the others."""
        generator = torch.Generator().manual_seed(1)
        images = torch.randn(count, 3, side, side, generator=generator)
        if name in ('AMR', 'SEAM'):
            return images, [DataSample().set_gt_label(torch.tensor([index % 3])) for index in range(count)]
        blocks = torch.randint(0, 4, (count, 1, 6, 6), generator=generator)
        labels = F.interpolate(blocks.float(), (side, side)).long()
        labels[labels == 3] = 255
        return images, [SegDataSample(gt_sem_seg=PixelData(data=label)) for label in labels]

    def to_device(self, batch: tuple[Tensor, list]) -> tuple[Tensor, list]:
        """The same batch on the device."""
        return batch[0].to(self.device), [sample.to(self.device) for sample in batch[1]]

    @staticmethod
    def loss(model: nn.Module, batch: tuple[Tensor, list]) -> Tensor:
        """The loss of a batch, as training sums it."""
        return model.parse_losses(model(*batch, mode='loss'))[0]

    def seconds(self, run: Callable[[], Any], repeats: int = 5) -> float:
        """Median seconds of a call, after a first one."""
        times = []
        for _ in range(2 if self.dry else repeats + 1):
            self.synchronize()
            start = time.perf_counter()
            run()
            self.synchronize()
            times.append(time.perf_counter() - start)
        return sorted(times[1:])[(len(times) - 1) // 2]

    def synchronize(self) -> None:
        """Wait for the device."""
        if self.device.type == 'cuda':
            torch.cuda.synchronize()

    def memory(self) -> float:
        """Largest memory on the device since the last call, in GiB."""
        if self.device.type != 'cuda':
            return 0.0
        peak = torch.cuda.max_memory_allocated() / 2**30
        torch.cuda.reset_peak_memory_stats()
        return peak


def compare(what: str, reference: list[Tensor], other: list[Tensor]) -> Row:
    """Largest difference of two lists of tensors, relative to the largest value of the first."""
    largest = max(float(one.detach().abs().max()) for one in reference)
    gap = max(
        float((one.detach().double() - two.detach().double().cpu()).abs().max()) for one, two in zip(reference, other)
    )
    return {'what': what, 'largest value': f'{largest:.3g}', 'largest difference': f'{gap / max(largest, 1e-30):.1e}'}


def equal(bench: Bench) -> Iterator[Row]:
    """What CPU and device compute of the same weights and images."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    for name in NETWORKS:
        model, batch = bench.model(name), bench.batch(name, 2, 129)
        twin = copy.deepcopy(model).to(bench.device)
        losses = [bench.loss(model, batch), bench.loss(twin, bench.to_device(batch))]
        for loss in losses:
            loss.backward()
        yield compare(f'{name}: loss', [losses[0]], [losses[1]])
        pairs = [
            (one.grad, two.grad) for one, two in zip(model.parameters(), twin.parameters()) if one.grad is not None
        ]
        yield compare(f'{name}: gradients', *map(list, zip(*pairs)))
        model.eval(), twin.eval()
        yield from compare_outputs(bench, name, model, twin)
    generator = torch.Generator().manual_seed(0)
    cam, edge = torch.rand(3, 94, 125, generator=generator), torch.rand(94, 125, generator=generator) ** 3
    yield compare('random walk', [random_walk(cam, edge)], [random_walk(cam.to(bench.device), edge.to(bench.device))])
    photo = np.random.default_rng(0).integers(0, 256, (94, 125, 3), dtype=np.uint8)
    scores = torch.softmax(torch.randn(4, 94, 125, generator=generator), 0).numpy()
    crfs = [
        torch.from_numpy(dense_crf(photo, scores, backend='torch', device=device)) for device in ('cpu', bench.device)
    ]
    yield compare('dense CRF in torch', crfs[:1], crfs[1:])


@torch.no_grad()
def compare_outputs(bench: Bench, name: str, model: nn.Module, twin: nn.Module) -> Iterator[Row]:
    """What the stage behind a network takes from it."""
    images = bench.batch(name, 2, 129)[0]
    on_device = images.to(bench.device)
    if name in ('AMR', 'SEAM'):
        for what, climbing in (('CAMs', None), ('CAMs, 3 steps of climbing', Climbing(steps=3))):
            if climbing is None or name == 'AMR':
                cams = [
                    one.make_cams(some, [[0, 1], [2]], (0.5, 1.0), True, climbing)
                    for one, some in ((model, images), (twin, on_device))
                ]
                yield compare(
                    f'{name}: {what}',
                    *([torch.as_tensor(cam.maps[key]).cpu() for cam in some for key in cam.maps] for some in cams),
                )
    elif name == 'DeepLab-v2':
        yield compare(f'{name}: logits', [model(images, mode='tensor')], [twin(on_device, mode='tensor')])
    else:
        maps = [
            [value for one in some for value in one.values()]
            for some in (model.affinity(images), twin.affinity(on_device))
        ]
        yield compare(f'{name}: affinities', *maps)


def amp(bench: Bench) -> Iterator[Row]:
    """Training steps in half precision, each network from the same weights on one batch."""
    steps = 2 if bench.dry else 20
    for name in NETWORKS:
        for precision in ('bfloat16',) if bench.device.type == 'cpu' else ('float16', 'bfloat16'):
            model = bench.model(name).to(bench.device, memory_format=torch.channels_last)
            batch = bench.to_device(bench.batch(name, 4, 161))
            optimizer = torch.optim.SGD([one for one in model.parameters() if one.requires_grad], 1e-3, momentum=0.9)
            clip = dict(max_norm=10.0)
            if bench.device.type == 'cpu':
                wrapper = CPUAmpOptimWrapper(optimizer=optimizer, clip_grad=clip)
            else:
                wrapper = AmpOptimWrapper(dtype=precision, optimizer=optimizer, clip_grad=clip)
            losses = []
            for _ in range(steps):
                with wrapper.optim_context(model):
                    loss = bench.loss(model, batch)
                wrapper.update_params(loss)
                losses.append(float(loss.detach()))
            weights = all(bool(torch.isfinite(one).all()) for one in model.state_dict().values())
            yield {
                'network': name,
                'precision': precision,
                'steps': steps,
                'first loss': f'{losses[0]:.4f}',
                'last loss': f'{losses[-1]:.4f}',
                'finite': 'yes' if weights and all(map(math.isfinite, losses)) else 'NO',
            }


def speed(bench: Bench) -> Iterator[Row]:
    """Each stage at its published size."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    peaks = {}
    for precision, dtype in (('float32', torch.float32), ('bfloat16', torch.bfloat16)):
        side = 256 if bench.dry else 8192
        one, two = (torch.randn(side, side, device=bench.device, dtype=dtype) for _ in range(2))
        taken = bench.seconds(lambda one=one, two=two: one @ two, 10)
        peaks[precision] = 2 * side**3 / taken / 1e12
        yield speed_row('matrix product', precision, 1 / taken, 'products/s', tflops=peaks[precision])
    for name in NETWORKS:
        for precision in peaks:
            yield from train_speed(bench, name, precision, peaks[precision])
    yield from cam_speed(bench, peaks)
    yield from label_speed(bench)
    yield from test_speed(bench, peaks)


def speed_row(
    what: str,
    precision: str,
    rate: float,
    unit: str,
    tflops: float = 0.0,
    peak: float = 0.0,
    memory: float = 0.0,
    published: float = 0.0,
) -> Row:
    """One measurement; what was not measured is left empty."""
    return {
        'what': what,
        'precision': precision,
        'rate': f'{rate:.4g}',
        'unit': unit,
        'TFLOP/s': f'{tflops:.1f}' if tflops else '',
        'of the peak': f'{tflops / peak:.0%}' if peak and tflops else '',
        'GiB': f'{memory:.1f}' if memory else '',
        'times the published way': f'{rate / published:.2f}' if published else '',
    }


def train_speed(bench: Bench, name: str, precision: str, peak: float) -> Iterator[Row]:
    """Steps of training; AMR also as published: branches that share nothing, the memory format that comes."""
    count, side = (2, 97) if bench.dry else (NETWORKS[name].batch, NETWORKS[name].side)
    batch = bench.to_device(bench.batch(name, count, side))
    model = bench.model(name).to(bench.device)
    published = 0.0
    if name == 'AMR':
        published = count / bench.seconds(step_of(bench, separate_branches(model), batch, precision))
        yield speed_row(f'{name}: training, published way', precision, published, 'images/s', memory=bench.memory())
    step = step_of(bench, model.to(memory_format=torch.channels_last), batch, precision)
    with FlopCounterMode(display=False) as counter:
        step()
    bench.memory()
    taken = bench.seconds(step)
    tflops = counter.get_total_flops() / taken / 1e12
    yield speed_row(f'{name}: training', precision, count / taken, 'images/s', tflops, peak, bench.memory(), published)


def step_of(bench: Bench, model: nn.Module, batch: tuple[Tensor, list], precision: str) -> Callable[[], None]:
    """One step of SGD as a function."""
    model.train()
    optimizer = torch.optim.SGD([one for one in model.parameters() if one.requires_grad], 1e-4, momentum=0.9)

    def step() -> None:
        with torch.autocast(bench.device.type, dtype=torch.bfloat16, enabled=precision == 'bfloat16'):
            loss = bench.loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


@torch.inference_mode()
def cam_speed(bench: Bench, peaks: dict[str, float]) -> Iterator[Row]:
    """The CAM stage, seven scales with mirror images, against one view at a time."""
    model = bench.model('AMR').eval().requires_grad_(False).to(bench.device)
    count, size = (2, (64, 80)) if bench.dry else (16, PHOTO)
    generator = torch.Generator().manual_seed(2)
    images = [torch.randn(1, 3, *size, generator=generator).to(bench.device) for _ in range(count)]
    few = images[: max(count // 4, 1)]
    plain = separate_branches(model)
    published = len(few) / bench.seconds(lambda: plain_loop(plain, few, SCALES), 2)
    yield speed_row('CAMs, published way', 'float32', published, 'images/s', memory=bench.memory())
    with FlopCounterMode(display=False) as counter:
        batches(model, images[:1], SCALES, 1, 'float32')
    for precision in peaks:
        taken = bench.seconds(lambda precision=precision: batches(model, images, SCALES, 8, precision), 2) / count
        tflops = counter.get_total_flops() / taken / 1e12
        yield speed_row('CAMs', precision, 1 / taken, 'images/s', tflops, peaks[precision], bench.memory(), published)


@torch.inference_mode()
def label_speed(bench: Bench) -> Iterator[Row]:
    """IRNet's affinities, the walk, and the dense CRF."""
    size = (64, 80) if bench.dry else PHOTO
    height, width = (-(-side // 4) for side in size)
    model = bench.model('IRNet').eval().to(bench.device, memory_format=torch.channels_last)
    images = torch.randn(1, 3, *size, device=bench.device)
    yield speed_row('IRNet: affinities', 'float32', 1 / bench.seconds(lambda: model.affinity(images)), 'images/s')
    cam = torch.rand(2, height, width, device=bench.device)
    edge = torch.rand(height, width, device=bench.device) ** 3
    dense = 1 / bench.seconds(lambda: dense_random_walk(cam, edge, 5, 10.0, 8), 2)
    yield speed_row('walk, published way', 'float32', dense, 'images/s', memory=bench.memory())
    sparse = 1 / bench.seconds(lambda: random_walk(cam, edge))
    yield speed_row('walk', 'float32', sparse, 'images/s', memory=bench.memory(), published=dense)
    photo = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    scores = torch.softmax(torch.randn(21, *size), 0).numpy()
    for device in ('cpu', bench.device):
        rate = 1 / bench.seconds(lambda device=device: dense_crf(photo, scores, backend='torch', device=device), 2)
        yield speed_row(f'dense CRF in torch, {torch.device(device).type}', 'float32', rate, 'images/s')


@torch.inference_mode()
def test_speed(bench: Bench, peaks: dict[str, float]) -> Iterator[Row]:
    """DeepLab-v2's test time: five scales with mirror images."""
    model = bench.model('DeepLab-v2').eval().to(bench.device, memory_format=torch.channels_last)
    size = (64, 80) if bench.dry else PHOTO
    image = torch.randn(1, 3, *size, device=bench.device)

    def views() -> None:
        for scale in TEST_SCALES:
            view = F.interpolate(image, scale_factor=scale, mode='bilinear', align_corners=False)
            logits = model(torch.cat([view, view.flip(3)]), mode='tensor')
            F.interpolate(logits, size, mode='bilinear', align_corners=False).softmax(1)

    for precision in peaks:
        with torch.autocast(bench.device.type, dtype=torch.bfloat16, enabled=precision == 'bfloat16'):
            taken = bench.seconds(views)
        yield speed_row('DeepLab-v2: five scales and mirror images', precision, 1 / taken, 'images/s')


def environment() -> dict[str, str]:
    """Variables of the tools: this interpreter is theirs."""
    return dict(os.environ, PYTHON=sys.executable)


def run_tool(*argv: str) -> float:
    """Seconds that one of the tools took."""
    start = time.perf_counter()
    subprocess.run(argv, cwd=ROOT, check=True, env=environment())
    return time.perf_counter() - start


def chain(bench: Bench) -> Iterator[Row]:
    """The pipeline of the embedded data set; a dry run trains its classifier for one epoch."""
    folder = osp.abspath(osp.join(bench.out, 'chain'))
    few = (
        ('--stages', 'classifier', '--cfg-options', 'stages.classifier.options.train_cfg.max_epochs=1')
        if bench.dry
        else ()
    )
    run_tool(sys.executable, 'tools/train.py', PIPELINE, '--work-dir', folder, '--resume', *few)
    with open(osp.join(folder, 'manifest.json'), encoding='utf-8') as file:
        stages = json.load(file)['stages']
    for stage, entry in stages.items():
        for name, value in entry['metrics'].items():
            if 'mIoU' in name or 'mAP' in name:
                yield {'stage': stage, 'seconds': round(entry['seconds']), 'metric': name, 'value': f'{value:.2f}'}
        if not entry['metrics']:
            yield {'stage': stage, 'seconds': round(entry['seconds']), 'metric': '', 'value': ''}
    if not bench.dry:
        yield from half_precision_cams(bench, latest_checkpoint(osp.join(folder, 'classifier')))


def half_precision_cams(bench: Bench, checkpoint: str) -> Iterator[Row]:
    """CAMs of one checkpoint in each precision, measured on the embedded data set."""
    for precision in ('float32', 'float16', 'bfloat16'):
        folder = osp.abspath(osp.join(bench.out, precision))
        taken = run_tool(
            *(sys.executable, 'tools/test.py', CLASSIFIER, checkpoint, '--work-dir', folder, '--out', folder),
            *('--out-item', 'metrics', '--cfg-options', f'test_cfg.precision={precision}'),
        )
        with open(osp.join(folder, 'metrics.json'), encoding='utf-8') as file:
            metrics = json.load(file)
        name = 'CAM/weighted.best_mIoU'
        yield {'stage': f'cam, {precision}', 'seconds': round(taken), 'metric': name, 'value': f'{metrics[name]:.2f}'}


def launch(bench: Bench) -> Iterator[Row]:
    """A training by ``dist_train.sh`` with one process: undisturbed, and killed after its first epoch and resumed."""
    epochs = 2
    folders = [osp.abspath(osp.join(bench.out, name)) for name in ('undisturbed', 'killed')]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    command = ('bash', 'tools/dist_train.sh', CLASSIFIER, '1', '--cfg-options', f'train_cfg.max_epochs={epochs}')
    options = 'train_dataloader.batch_size=16'
    yield {'what': 'undisturbed', 'seconds': round(run_tool(*command, options, '--work-dir', folders[0])), 'same': ''}
    start = time.perf_counter()
    process = subprocess.Popen(
        (*command, options, '--work-dir', folders[1]), cwd=ROOT, start_new_session=True, env=environment()
    )
    while not osp.exists(osp.join(folders[1], 'epoch_1.pth')) and process.poll() is None:
        time.sleep(0.05)
    if process.poll() is not None:
        raise RuntimeError(f'the training ended with {process.returncode} before it could be killed')
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    run_tool(*command, options, '--work-dir', folders[1], '--resume')
    weights = [
        torch.load(osp.join(folder, f'epoch_{epochs}.pth'), weights_only=True, map_location='cpu')['state_dict']
        for folder in folders
    ]
    gap = max(float((weights[1][name].double() - value.double()).abs().max()) for name, value in weights[0].items())
    yield {
        'what': 'killed and resumed',
        'seconds': round(time.perf_counter() - start),
        'same': 'to the bit' if gap == 0 else f'largest difference of a weight {gap:.1e}',
    }


PARTS = dict(equal=equal, amp=amp, speed=speed, chain=chain, launch=launch)


def run_part(bench: Bench, name: str) -> None:
    """Run a part and write its CSV; one that is there is kept."""
    path = osp.join(bench.out, f'{name}.csv')
    if osp.exists(path):
        return
    rows = []
    for row in PARTS[name](bench):
        rows.append(row)
        print(name, *row.values(), sep='  ', flush=True)
    with atomic_write(path, 'w', encoding='utf-8', newline='') as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_page(bench: Bench) -> None:
    """All parts that are there as one Markdown file."""
    device = torch.cuda.get_device_name() if bench.device.type == 'cuda' else 'CPU'
    lines = [f'{device}, torch {torch.__version__}, {time.strftime("%Y-%m-%d")}', '']
    for name in PARTS:
        path = osp.join(bench.out, f'{name}.csv')
        if not osp.exists(path):
            continue
        with open(path, encoding='utf-8', newline='') as file:
            header, *rows = csv.reader(file)
        lines += [f'## {name}', '', '| ' + ' | '.join(header) + ' |', '| ' + ' | '.join('---' for _ in header) + ' |']
        lines += ['| ' + ' | '.join(row) + ' |' for row in rows] + ['']
    with atomic_write(osp.join(bench.out, 'gpu.md'), 'w', encoding='utf-8') as file:
        file.write('\n'.join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', default='work_dirs/gpu', help='folder of the results (%(default)s)')
    parser.add_argument('--parts', nargs='+', choices=PARTS, default=list(PARTS), help='default: all')
    parser.add_argument('--dry-run', action='store_true', help='small networks on the CPU')
    args = parser.parse_args()
    if not (args.dry_run or torch.cuda.is_available()):
        parser.error('there is no GPU; --dry-run runs everything small on the CPU')
    bench = Bench('cpu' if args.dry_run else 'cuda', args.dry_run, args.out)
    os.makedirs(args.out, exist_ok=True)
    for name in args.parts:
        run_part(bench, name)
        write_page(bench)


if __name__ == '__main__':
    main()
