import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from mmamr.pipeline.report import page
from mmamr.pipeline.report.page import Gallery, Picture, PictureRow, breakable, render_page
from mmamr.pipeline.report.work_folder import read_stages

EVIL = '<script>alert("1")</script>&\'{{ 1 + 1 }}'
VOID = {'meta', 'img', 'br', 'link', 'wbr'}


class Page(HTMLParser):
    """Checks that tags are closed in order; collects tags, attributes and texts."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def picture():
    return Picture.from_array(np.full((30, 600, 3), 200, dtype=np.uint8), 'photo', f'photo of {EVIL}')


def render(manifest, galleries=(), **settings):
    settings = dict(dict(title='my pipeline', date='today', pipeline='configs/a.py'), **settings)
    return render_page(stages=read_stages(manifest), galleries=galleries, **settings)


def test_the_page_has_everything(manifest, picture):
    html = render(manifest, [Gallery('Pictures: some', 'text', [PictureRow('img', [picture], {'disc': (1, 2, 3)})])])
    page = Page(html)
    headings = re.findall('<h2>(.*)</h2>', html)
    assert headings == [
        # what people look for first
        'Pictures: some',
        'Stages',
        'mIoU of every stage',
        'IoU of each class (%)',
        'Thresholds',
        'Losses',
        'Configs and versions',
    ]
    labels = [svg['aria-label'] for svg in page.all('svg') if svg.get('role') == 'img']
    assert labels == [
        'Bars of the time a stage: classifier 1 min 23 s, cam 1 min 23 s, labels 1 min 23 s, segmentation 1 h 23 min, '
        'evaluation 1 min 23 s',
        'mIoU against background threshold. cam: spotlight: best 50.0 at 0.2; cam: weighted, ξ = 0.5: best 50.0 at 0.2',
        'mIoU against power of the background. labels: walk: best 50.0 at 8',
        'Losses of classifier. loss from 1.5 to 0.5; loss_a from 1.4 to 0.45; loss_b from 0.1 to 0.05',
    ]
    assert 'classifier: losses, logarithmic' in page.texts
    for text in (
        'evaluation failed: the <disk> is full',
        '2.15.0',
        'configs/a.py',
        "model.type = '<b>Net</b>'",
        'test_cfg.cam_dir = {cam.out_dir}',
        'background: rgb(1 2 3)',
    ):
        assert text in page.texts or any(text in str(tag) for tag in page.tags)


def test_it_stands_alone(manifest, picture):
    html = render(manifest, [Gallery('a', 'b', [PictureRow('img', [picture])])])
    page = Page(html)
    assert not re.search(r'https?:|//[a-z]|@import|url\(', html.replace(picture.uri, ''))
    assert not any(tag in ('script', 'link', 'iframe', 'object') for tag, _ in page.tags)
    for tag, attributes in page.tags:
        assert not any(name.startswith('on') for name in attributes)
        assert attributes.get('src', 'data:').startswith('data:image/jpeg;base64,') or tag != 'img'
    assert {'name': 'viewport', 'content': 'width=device-width, initial-scale=1'} in page.all('meta')
    assert all(image['alt'] for image in page.all('img'))
    # what is wider than a phone scrolls by itself
    assert len(page.all('table')) == len([box for box in page.all('div') if box.get('class') == 'box']) == 3


def test_what_comes_from_files_is_escaped(manifest, picture, tmp_path):
    for record in manifest.stages.values():
        record.update(config=EVIL, error=EVIL, options={EVIL: EVIL}, versions={EVIL: EVIL}, config_hash=EVIL)
    manifest.stages[EVIL] = dict(manifest.stages['cam'], metrics={f'CAM/{EVIL}.mIoU': 3.0})
    manifest.pipeline['stages'].append(EVIL)
    gallery = Gallery(EVIL, EVIL, [PictureRow(EVIL, [picture], {EVIL: (0, 0, 0)})], note=EVIL)
    html = render(manifest, [gallery], title=EVIL, date=EVIL, pipeline=EVIL)
    page = Page(html)
    assert '<script' not in html and not page.all('script')
    assert page.texts.count(EVIL) > 8 and EVIL in [image['alt'][9:] for image in page.all('img')]


@pytest.mark.parametrize('stages', [0, 1, 2, 4])
def test_a_partial_pipeline(manifest, stages):
    for name in ('classifier', 'cam', 'labels', 'segmentation', 'evaluation')[stages:]:
        manifest.stages.pop(name)
    page = Page(render(manifest, pipeline=None))
    assert page.texts.count('not run') == 5 - stages
    assert ('mIoU of every stage' in page.texts) == ('Thresholds' in page.texts) == (stages > 1)
    assert ('Losses' in page.texts) == ('Time a stage' in page.texts) == (stages > 0)


def test_a_gallery_without_pictures_says_why(manifest):
    page = Page(render(manifest, [Gallery('Pictures: some', 'text', note='No pictures: no file a.jpg')]))
    assert 'No pictures: no file a.jpg' in page.texts and 'text' not in page.texts


def test_pictures_are_small(picture):
    assert (picture.width, picture.height) == (400, 20)
    image = Image.open(io.BytesIO(base64.b64decode(picture.uri.partition(',')[2])))
    assert image.size == (400, 20) and image.format == 'JPEG' and abs(image.getpixel((5, 5))[0] - 200) < 3
    small = Picture.from_array(np.zeros((10, 20, 3), dtype=np.uint8), 'a', 'b')
    assert (small.width, small.height) == (20, 10)


def test_three_images_are_seen_at_once(manifest, picture):
    gallery = Gallery('Pictures', 'text', [PictureRow(f'img {index}', [picture]) for index in range(5)])
    html = render(manifest, [gallery])
    before, _, after = html.partition('More images: 2')
    assert [f'img {index}' in before for index in range(5)] == [True, True, True, False, False]
    assert [f'img {index}' in after for index in range(5)] == [False, False, False, True, True]
    assert 'More images' not in render(manifest, [Gallery('Pictures', 'text', gallery.rows[:3])])


def test_links_of_the_page_lead_somewhere(manifest, picture):
    page = Page(render(manifest, [Gallery('one', 'a', [PictureRow('img', [picture])]), Gallery('two', 'b')]))
    targets = [attributes['id'] for _, attributes in page.tags if 'id' in attributes]
    assert len(set(targets)) == len(targets)
    assert [link['href'] for link in page.all('a')] == [f'#{name}' for name in targets]


def test_headings_of_columns_break_after_underscores():
    assert breakable('pseudo_label: <walk>') == 'pseudo_<wbr>label: &lt;walk&gt;'
    assert breakable('mIoU') == 'mIoU'


@pytest.mark.parametrize('columns, many', [(9, False), (10, True)])
def test_tables_with_many_columns_are_set_smaller(manifest, monkeypatch, columns, many):
    table = (['class', *map(str, range(columns - 1))], [['cat', *['1.0'] * (columns - 1)]])
    monkeypatch.setattr(page, 'class_table', lambda stages: table)
    tables = Page(render(manifest)).all('table')
    assert [one.get('class') for one in tables] == [None, None, 'many' if many else None]
