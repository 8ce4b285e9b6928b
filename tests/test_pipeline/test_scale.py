"""What is done beside the network grows with the photos, and with nothing else: operations are counted, not seconds."""

import builtins
import importlib.util
import io
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from mmamr.datasets import ImageLabelDataset
from mmamr.datasets.check import check_dataset

BENCHMARKS = Path(__file__).parents[2] / 'benchmarks'
COUNTED = ('stat', 'lstat', 'scandir', 'listdir', 'open')


@pytest.fixture
def scale(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location('benchmark_scale', BENCHMARKS / 'scale.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop('results', None)


@pytest.fixture
def counts(monkeypatch):
    """How often the functions of ``os``, and ``open``, are called on files of the data set."""
    found: Counter[str] = Counter()

    def counted(name, function):
        def call(path, *args, **kwargs):
            if not isinstance(path, int) and 'scale-' in os.fspath(path):
                found[name] += 1
            return function(path, *args, **kwargs)

        return call

    for name in COUNTED:
        monkeypatch.setattr(os, name, counted(name, getattr(os, name)))
    opened = counted('open', builtins.open)
    monkeypatch.setattr(builtins, 'open', opened)
    monkeypatch.setattr(io, 'open', opened)
    return found


def test_files_are_asked_for_a_few_times_a_photo(scale, counts, tmp_path):
    """Twice the photos, twice the calls; and a folder is listed as often for few photos as for many."""
    calls = {}
    for photos in (60, 120):
        root = tmp_path / f'scale-{photos}'
        root.mkdir()
        scale.lay_out(str(root), photos, 16)
        calls[photos] = {}
        for name, run in scale.parts(str(root)):
            counts.clear()
            run()
            calls[photos][name] = dict(counts)
    for name, few in calls[60].items():
        many = calls[120][name]
        for what in ('listdir', 'scandir'):
            assert many.get(what, 0) == few.get(what, 0) <= 12, (name, what)
        for what in ('stat', 'lstat', 'open'):
            a_photo = (many.get(what, 0) - few.get(what, 0)) / 60
            # what is once for all photos is in both
            assert 0 <= a_photo <= 6 and few.get(what, 0) - 60 * a_photo < 80, (name, what, few, many)
    assert calls[120]['data set'].get('open', 0) <= 3  # list and table; no photo
    assert calls[120]['metric']['open'] == 3 * 120  # photo, mask and CAM, once each


def test_few_of_many_missing_photos_are_kept(tiny_voc, tmp_path):
    """All are counted; what is kept of them has no traceback, which would hold every frame."""
    ids = (tiny_voc / 'ImageSets/Segmentation/train.txt').read_text().split()
    absent = [f'absent_{index}' for index in range(3000)]
    (tiny_voc / 'ImageSets/Segmentation/many.txt').write_text('\n'.join([*absent, *ids]))
    settings = dict(data_root=str(tiny_voc), split='ImageSets/Segmentation/many.txt', mask_dir='SegmentationClass')
    dataset = ImageLabelDataset(**settings, metainfo=dict(classes=('disc', 'square', 'cross')), lazy_init=True)
    report = check_dataset(dataset, keep=5)
    assert report.counts['missing image'] == report.counts['missing mask'] == 3000
    assert report.num_problems == sum(report.counts.values()) >= 9000 and len(report.problems) <= 15
    assert all(problem.__traceback__ is None and problem.__context__ is None for problem in report.problems)
    assert [str(one).partition(':')[0] for one in report.problems if one.kind == 'missing image'] == [
        str(tiny_voc / 'JPEGImages' / f'absent_{index}.jpg') for index in range(5)
    ]
    assert '[missing image] ... and 2995 more' in report.text()
    assert sum(report.class_counts.values()) > 0
    assert len(check_dataset(dataset, keep=None).problems) == report.num_problems
