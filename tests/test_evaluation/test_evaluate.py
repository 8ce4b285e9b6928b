import json
import os
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest
from mmengine.evaluator import BaseMetric
from mmengine.runner import Runner

from mmamr.datasets import init_dataset
from mmamr.evaluation import evaluate_cams, evaluate_labels, metrics_table, write_metrics
from mmamr.evaluation.files import process_files
from mmamr.utils import InputError, write_png


@pytest.fixture
def dataset(tiny_config):
    return init_dataset(tiny_config('tiny_amr'))


def test_cams_by_any_number_of_processes(dataset, write_cams, tmp_path):
    folder = write_cams()
    metrics = [
        evaluate_cams(dataset, folder, xis=(0.5, 0.25), num_workers=n, curves_file=str(tmp_path / f'{n}.json'))
        for n in (0, 2)
    ]
    assert metrics[0] == metrics[1]
    assert set(metrics[0]) == {
        f'CAM/{row}.{column}'
        for row in ('spotlight', 'compensation', 'weighted', 'weighted(xi=0.25)')
        for column in ('mIoU', 'best_mIoU', 'best_threshold')
    }
    # the compensation CAMs are the masks but for their grid, the spotlight's half of them
    assert metrics[0]['CAM/compensation.best_mIoU'] > 80 > 60 > metrics[0]['CAM/spotlight.best_mIoU'] > 20
    curves = [json.loads((tmp_path / f'{n}.json').read_text()) for n in (0, 2)]
    assert curves[0] == curves[1] and len(curves[0]['spotlight']['miou']) == 99


def test_the_tool_and_the_stage_measure_the_same(tiny_config, dataset, tmp_path):
    cfg = tiny_config('tiny_amr', options={'test_dataloader.num_workers': 2})
    stage = Runner.from_cfg(cfg).test()
    assert stage == evaluate_cams(dataset, f'{cfg.work_dir}/cams', xis=(0.5,))


@pytest.mark.parametrize('num_workers', [0, 2])
def test_missing_and_broken_cams_are_one_line(dataset, write_cams, num_workers):
    folder = write_cams()
    with open(f'{folder}/img_03.npz', 'wb') as file:
        file.write(b'broken')
    with pytest.raises(InputError) as caught:
        evaluate_cams(dataset, folder, num_workers=num_workers)
    assert str(caught.value).startswith(f'{folder}/img_03.npz is not a CAM file') and '\n' not in str(caught.value)
    os.unlink(f'{folder}/img_03.npz')
    with pytest.raises(FileNotFoundError, match=r'^no CAM file [^\n]*img_03.npz[^\n]*$'):
        evaluate_cams(dataset, folder, num_workers=num_workers)


def test_without_masks_there_is_nothing_to_measure(tiny_config, write_cams):
    dataset = init_dataset(tiny_config('tiny_amr'), {'test_dataloader.dataset.mask_dir': None})
    with pytest.raises(InputError, match=r'has a mask'):
        evaluate_cams(dataset, write_cams())


def test_labels(dataset, tmp_path):
    folder = dataset.data_prefix['seg_map_path']
    metrics = evaluate_labels(dataset, folder, num_workers=2)
    assert metrics == evaluate_labels(dataset, folder)
    assert metrics['label/mIoU'] == 100 and metrics['label/FP'] == metrics['label/FN'] == 0
    for index in range(len(dataset)):
        size = dataset.get_image_size(index)
        write_png(str(tmp_path / 'labels' / f'img_{index:02d}.png'), np.zeros(size, np.uint8))
    metrics = evaluate_labels(dataset, str(tmp_path / 'labels'))
    assert metrics['label/FN'] == 100 and 15 < metrics['label/mIoU'] < 25
    os.unlink(tmp_path / 'labels' / 'img_05.png')
    with pytest.raises(InputError, match=r'img_05.png'):
        evaluate_labels(dataset, str(tmp_path / 'labels'))


class Collecting(BaseMetric):
    """A metric as anyone would write it, without counts."""

    def process(self, data_batch, data_samples):
        self.results.extend(sample['value'] for sample in data_samples)

    def compute_metrics(self, results):
        return dict(values=results)


@pytest.mark.parametrize('num_workers', [0, 2])
def test_other_metrics_collect_their_results_in_order(num_workers):
    metric = Collecting()
    process_files([metric], range(5), lambda item: dict(value=item * item), num_workers)
    assert metric.results == [0, 1, 4, 9, 16]


def test_a_worker_that_dies_does_not_hang():
    with pytest.raises(BrokenProcessPool):
        process_files([Collecting()], range(5), lambda item: os._exit(1), 2)


def test_tables(tmp_path):
    cams = {'CAM/spotlight.mIoU': 50.0, 'CAM/weighted(xi=0.3).mIoU': 51.239, 'CAM/weighted(xi=0.3).best_mIoU': 52.0}
    assert metrics_table(cams).splitlines() == [
        '| CAM | mIoU | best_mIoU |',
        '| --- | ---: | ---: |',
        '| spotlight | 50.00 | – |',
        '| weighted, ξ = 0.3 | 51.24 | 52.00 |',
    ]
    labels = {'label/mIoU': 61.0, 'label/FP': 5.0}
    assert metrics_table(labels).splitlines()[2] == '| label | 61.00 | 5.00 |'
    write_metrics(str(tmp_path / 'new' / 'table.md'), cams)
    assert (tmp_path / 'new' / 'table.md').read_text(encoding='utf-8') == metrics_table(cams)
    write_metrics(str(tmp_path / 'metrics.json'), cams)
    assert json.loads((tmp_path / 'metrics.json').read_text()) == cams
    with pytest.raises(ValueError, match=r'\.json or \.md'):
        write_metrics(str(tmp_path / 'metrics.txt'), cams)
