"""Time what a pipeline does with many photos beside the network, in milliseconds a photo: it must not grow with them.

The photos are hard links of a few small ones, so are their masks, CAMs and labels.

    python benchmarks/scale.py                             # 1,000, 10,000 and 100,000 photos
    python benchmarks/scale.py --photos 1000 3000 --missing 10000
"""

import argparse
import logging
import os
import os.path as osp
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from PIL import Image
from results import add_csv_option, write_rows

from mmamr.compat import keep_freed_memory
from mmamr.datasets import ImageLabelDataset
from mmamr.datasets.check import check_dataset
from mmamr.evaluation import evaluate_cams
from mmamr.fileio import CAMFolder, LabelFolder, OutputFolder
from mmamr.pipeline import Planner
from mmamr.pipeline.manifest import Manifest
from mmamr.pipeline.stage import parse_stages
from mmamr.structures import CAM, VOC_CLASSES, strided_size

FEW = 50
"""Different photos."""
SETTINGS = dict(made_by='benchmarks/scale.py')


def lay_out(root: str, photos: int, side: int) -> None:
    """Make a data set in VOC's layout, and folders of CAMs and labels as stages leave them."""
    rng = np.random.default_rng(0)
    ids = [f'photo_{index:06d}' for index in range(photos)]
    for name in ('JPEGImages', 'SegmentationClass', 'ImageSets', 'work/cam/cams', 'work/label/SegmentationClassPseudo'):
        os.makedirs(osp.join(root, name))
    dataset_classes = rng.integers(0, len(VOC_CLASSES), FEW, dtype=np.uint8)
    cams = CAMFolder(osp.join(root, 'work/cam/cams'))
    labels = osp.join(root, 'work/label/SegmentationClassPseudo')
    palette = np.arange(256, dtype=np.uint8)[:, None].repeat(3, 1).ravel().tolist()
    height, width = strided_size((side, side))
    for index, img_id in enumerate(ids):
        first = ids[index % FEW]
        if index < FEW:
            colours = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)).resize((side, side))
            colours.save(osp.join(root, 'JPEGImages', f'{first}.jpg'))
            mask = Image.fromarray((rng.random((side, side)) < 0.3).astype(np.uint8) * (dataset_classes[index] + 1))
            mask.putpalette(palette)
            mask.save(osp.join(root, 'SegmentationClass', f'{first}.png'))
            mask.save(osp.join(labels, f'{first}.png'))
            maps = {name: rng.random((1, height, width)) for name in ('spotlight', 'compensation')}
            cams.write(first, CAM(maps, dataset_classes[index : index + 1], (side, side)))
            continue
        for folder, suffix in (
            (osp.join(root, 'JPEGImages'), '.jpg'),
            (osp.join(root, 'SegmentationClass'), '.png'),
            (cams.folder, '.npz'),
            (labels, '.png'),
        ):
            os.link(osp.join(folder, first + suffix), osp.join(folder, img_id + suffix))
    with open(osp.join(root, 'ImageSets/train.txt'), 'w') as file:
        file.write('\n'.join(ids))
    with open(osp.join(root, 'labels.csv'), 'w') as file:
        names = [VOC_CLASSES[dataset_classes[index % FEW]] for index in range(photos)]
        file.write('image,label\n' + ''.join(f'{img_id},{name}\n' for img_id, name in zip(ids, names)))


def settings_of_dataset(root: str) -> dict[str, Any]:
    return dict(
        data_root=root,
        split='ImageSets/train.txt',
        mask_dir='SegmentationClass',
        labels=dict(type='CSVLabels', file='labels.csv'),
    )


def make_planner(root: str) -> Planner:
    """The planner of a pipeline of two stages, as a run begins with it."""
    for name, loop in (('cam', 'CAMLoop'), ('label', 'PseudoLabelLoop')):
        Config(
            dict(
                default_scope='mmamr',
                model=dict(type='NoModel'),
                test_dataloader=dict(batch_size=1, dataset=dict(type='ImageLabelDataset', **settings_of_dataset(root))),
                test_cfg=dict(type=loop),
                test_evaluator=dict(type='CAMMetric'),
            )
        ).dump(osp.join(root, f'{name}.py'))
    stages = parse_stages(
        dict(
            cam=dict(kind='test', config='cam.py'),
            label=dict(kind='test', config='label.py', options={'test_cfg.cam_dir': '{cam.out_dir}'}),
        ),
        root,
    )
    work = osp.join(root, 'work')
    return Planner(stages, work, Manifest(work))


def finish_stages(root: str) -> None:
    """Write down that both stages are done."""
    planner = make_planner(root)
    for stage in planner.stages.values():
        decision = planner.decide(stage)
        manifest = planner.manifest
        manifest.begin(
            stage.name, False, kind='test', config_hash=decision.config_hash, inputs=decision.inputs, processes=1
        )
        manifest.end(stage.name, 'done', outputs=planner.output_fingerprints(decision))
        planner.forget()


def parts(root: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What is timed: a name, and what does it."""
    datasets: list[ImageLabelDataset] = []
    yield 'data set', lambda: datasets.append(ImageLabelDataset(**settings_of_dataset(root)))
    dataset = datasets[0]
    ids = [dataset.get_data_info(index)['img_id'] for index in range(len(dataset))]
    for name, files in (
        ('pending CAMs', CAMFolder(osp.join(root, 'work/cam/cams'), 20)),
        ('pending labels', LabelFolder(osp.join(root, 'work/label/SegmentationClassPseudo'), dataset.class_index)),
    ):

        def pending(files: CAMFolder | LabelFolder = files) -> None:
            def is_valid(index: int) -> bool:
                return files.is_valid(ids[index], dataset.get_image_size(index))

            assert OutputFolder(files, SETTINGS).pending(len(ids), is_valid) == []

        yield name, pending
    yield 'metric', lambda: evaluate_cams(dataset, osp.join(root, 'work/cam/cams'))

    def fingerprints() -> None:
        finish_stages(root)

    def plan() -> None:
        assert [decision.action for decision in make_planner(root).plan()] == ['skip', 'skip']

    yield 'fingerprints of two stages that end', fingerprints
    yield 'plan of two stages that are done', plan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--photos', type=int, nargs='+', default=[1_000, 10_000, 100_000])
    parser.add_argument('--side', type=int, default=64, help='of the photos in pixels')
    parser.add_argument('--missing', type=int, default=1_000_000, help='ids without a photo for check_dataset')
    parser.add_argument('--tmp', help='folder for the photos, on a disk that knows hard links')
    add_csv_option(parser)
    args = parser.parse_args()

    torch.set_num_threads(1)
    keep_freed_memory()  # as tools/train.py does
    logging.disable(logging.INFO)
    rows: dict[str, dict[str, Any]] = {}
    for photos in args.photos:
        with tempfile.TemporaryDirectory(dir=args.tmp) as root:
            lay_out(root, photos, args.side)
            total = 0.0
            for name, run in parts(root):
                start = time.process_time()
                run()
                seconds = time.process_time() - start
                total += seconds
                row = rows.setdefault(name, {'part, processor time a photo (ms)': name})
                row[f'{photos} photos'] = f'{1e3 * seconds / photos:.3f}'
                print(f'{photos} photos, {name}: {1e3 * seconds / photos:.3f} ms a photo', flush=True)
            row = rows.setdefault('all', {'part, processor time a photo (ms)': 'all'})
            row[f'{photos} photos'] = f'{1e3 * total / photos:.3f}'
            print(f'{photos} photos, all: {1e3 * total / photos:.3f} ms a photo', flush=True)
    if args.missing:
        with tempfile.TemporaryDirectory(dir=args.tmp) as root:
            lay_out(root, FEW, args.side)
            with open(osp.join(root, 'ImageSets/train.txt'), 'a') as file:
                file.writelines(f'\nabsent_{index}' for index in range(args.missing))
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            start = time.process_time()
            report = check_dataset(ImageLabelDataset(**settings_of_dataset(root), lazy_init=True))
            seconds = time.process_time() - start
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            print(
                f'check_dataset on {args.missing} ids without a photo: {seconds:.1f} s, {grown:.0f} MiB more, '
                f'{report.num_problems} problems'
            )
    write_rows(args.csv, list(rows.values()))


if __name__ == '__main__':
    main()
