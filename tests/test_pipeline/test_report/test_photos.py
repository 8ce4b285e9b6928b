"""What a report shows of a work folder whose files were written by hand: no network takes part."""

import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
from mmengine.config import Config

from mmamr.apis import write_report
from mmamr.cams import label_of_cam
from mmamr.fileio import CAMFolder, LabelFolder
from mmamr.pipeline.manifest import Manifest
from mmamr.pipeline.settings import write_settings
from mmamr.structures import ClassIndex

NAMES = ('<i>disc</i> & "co"', "o'square", 'cross')


class Reader(HTMLParser):
    """Headings, articles with their captions and classes, options of the filter."""

    def __init__(self, html):
        super().__init__()
        self.headings, self.photos, self.options, self.inside = [], [], {}, []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.inside.append(tag)
        if tag == 'article':
            self.photos.append(dict(classes=attrs['data-classes'].split(), captions=[], facts=[]))
        if tag == 'option' and attrs['value']:
            self.options[attrs['value']] = attrs['data-name']

    def handle_data(self, data):
        if self.inside and self.inside[-1] == 'h2':
            self.headings.append(data)
        if self.inside and self.inside[-1] == 'figcaption':
            self.photos[-1]['captions'].append(data)
        if self.photos and self.inside[-1] == 'h3':
            self.photos[-1].setdefault('title', data)

    def handle_endtag(self, tag):
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass


@pytest.fixture
def work(tiny_voc, tiny_config, write_cams, tmp_path):
    """Make a work folder: ``work(stages, masks)`` with any of cam, labels and evaluation."""
    metainfo = dict(classes=NAMES, mask_values=(1, 2, 3))

    def make(stages, masks=False):
        cams = write_cams('work/cam/cams')
        root = tmp_path / 'work'
        manifest = Manifest(str(root))
        manifest.describe('configs/a.py', stages)
        options = dict(data_root=str(tiny_voc))
        names = dict(cam='tiny_amr', labels='tiny_pseudo-label', evaluation='tiny_segmentation')
        outputs = dict(cam='cams', labels='SegmentationClassPseudo')
        index = ClassIndex(NAMES)
        for path in (root / 'cam' / 'cams').glob('*.npz'):
            label = label_of_cam(CAMFolder(cams).read(path.stem), 0.3)
            for folder in ('labels/SegmentationClassPseudo', 'evaluation/predictions'):
                LabelFolder(str(root / folder), index).write(path.stem, label)
        for stage in stages:
            (root / stage).mkdir(exist_ok=True)
            # labels come from XML with other names
            settings = {'test_dataloader.dataset.metainfo': metainfo}
            if stage == 'evaluation':
                settings['test_evaluator.output_dir'] = str(root / 'evaluation' / 'predictions')
                settings['load_from'] = '{segmentation.checkpoint}'
            else:
                settings['test_dataloader.dataset.labels'] = dict(type='CSVLabels', file='labels.csv')
            if stage == 'labels':
                settings['test_cfg.cam_dir'] = str(root / 'cam' / 'cams')
            cfg: Config = tiny_config(names[stage], options=settings)
            write_settings(manifest.settings_file(stage), cfg)
            out = {}
            if stage in outputs:
                out['out_dir'] = dict(path=str(root / stage / outputs[stage]), count=0, hash='')
            manifest.update(stage, state='done', kind='test', options=options, outputs=out, config='a.py')
        ids = (tiny_voc / 'ImageSets' / 'Segmentation' / 'trainval.txt').read_text().split()
        rows = [f'{one},"{NAMES[number % 2].replace(chr(34), 2 * chr(34))}"' for number, one in enumerate(ids)]
        (tiny_voc / 'labels.csv').write_text('\n'.join(['image,label', *rows]) + '\n')
        if not masks:
            shutil.rmtree(tiny_voc / 'SegmentationClass')
        return root

    return make


def report(root, num=3):
    with open(write_report(str(root), num=num), encoding='utf-8') as file:
        html = file.read()
    assert not re.search(r'\bnan\b', html, re.IGNORECASE) and 'No pictures' not in html
    assert '<i>disc' not in html
    return html, Reader(html)


@pytest.mark.parametrize(
    'stages', [['cam'], ['labels'], ['cam', 'labels'], ['evaluation'], ['cam', 'labels', 'evaluation']]
)
def test_without_masks(work, stages):
    html, page = report(work(stages))
    trained = 'evaluation' != stages[0]
    expected = ['Least certain photos', 'Random photos'] if trained else []
    expected += ['Random validation photos'] if 'evaluation' in stages else []
    assert page.headings == [*expected, 'Stages', 'Configs and versions'] and 'IoU (%)' not in html
    assert len({photo['title'] for photo in page.photos}) >= len(page.photos) - 3
    first = ['photo']
    first += ['weighted CAM, ξ = 0.5'] if trained else []
    first += ['pseudo label'] if 'labels' in stages else []
    first += ['prediction'] if 'evaluation' in stages else []
    first += ['spotlight', 'compensation'] if 'cam' in stages else []
    assert page.photos[0]['captions'] == (first if 'cam' in stages or not trained else page.photos[0]['captions'])
    assert ('class="minor"' in html) == ({'cam', 'labels'} <= set(stages))
    assert set(page.options.values()) <= set(NAMES) and len(page.options) >= 2
    assert all(set(photo['classes']) <= set(page.options) for photo in page.photos)


def test_with_masks_the_worst_are_shown(work):
    html, page = report(work(['cam', 'labels', 'evaluation'], masks=True), num=2)
    assert page.headings[:5] == [
        'Least certain photos',
        'Random photos',
        'Photos of the lowest IoU',
        'Random validation photos',
        'Validation photos of the lowest IoU',
    ]
    captions = page.photos[0]['captions']
    assert re.fullmatch(r'pseudo label, IoU \d+ %', captions[2]) and 'ground truth' in captions
    assert 'certainty: ' in html and 'seed 0' in html


def test_a_model_that_is_gone_leaves_the_labels(work):
    root = work(['cam', 'labels', 'evaluation'])
    shutil.rmtree(root / 'evaluation' / 'predictions')
    with open(write_report(str(root)), encoding='utf-8') as file:
        html = file.read()
    page = Reader(html)
    assert html.count('No predictions: ') == 1 and 'pseudo label' in page.photos[0]['captions']
    assert not any('prediction' in photo['captions'] for photo in page.photos)


def test_a_broken_file_costs_one_photo(work):
    root = work(['cam', 'labels'])
    paths = sorted((root / 'cam' / 'cams').glob('*.npz'))
    paths[0].write_bytes(b'')
    for path in (root / 'labels' / 'SegmentationClassPseudo').glob(f'{paths[1].stem}.png'):
        path.write_bytes(np.zeros(3, np.uint8).tobytes())
    with open(write_report(str(root), num=20), encoding='utf-8') as file:
        html = file.read()
    assert len(Reader(html).photos) >= 8 and html.count('Some photos are missing: ') == 1
    assert json.loads((root / 'manifest.json').read_text())['stages']['cam']['state'] == 'done'
