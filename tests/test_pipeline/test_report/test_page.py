import base64
import glob
import hashlib
import os
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from mmamr.pipeline.report import page
from mmamr.pipeline.report.page import breakable, render_page
from mmamr.pipeline.report.pictures import Gallery, Layer, PictureRow
from mmamr.pipeline.report.work_folder import read_stages

EVIL = '<script>alert("1")</script>&\'{{ 1 + 1 }}'
VOID = {'meta', 'img', 'br', 'link', 'wbr', 'input'}


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


def photo(title='img', legend=None, alt='label of img', captions=('label',)):
    """A grey photo with a layer for each caption."""
    row = PictureRow.from_photo(title, np.full((30, 600, 3), 200, dtype=np.uint8))
    label = np.array([[0, 1]], dtype=np.uint8).repeat(30, 0).repeat(300, 1)
    row.layers = [Layer.from_labels(label, [(0, 0, 0), (255, 0, 0)], caption, alt) for caption in captions]
    row.legend = legend or {}
    return row


def render(manifest, galleries=(), **settings):
    settings = dict(dict(title='my pipeline', date='today', pipeline='configs/a.py'), **settings)
    return render_page(stages=read_stages(manifest), galleries=galleries, **settings)


def test_the_page_has_everything(manifest):
    html = render(manifest, [Gallery('Pictures: some', 'text', [photo(legend={'disc': (1, 2, 3)})])])
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


def test_it_stands_alone(manifest):
    html = render(manifest, [Gallery('a', 'b', [photo(legend={'cat': (1, 2, 3)})])])
    page = Page(html)
    assert not re.search(r'https?:|//[a-z]|@import', html)
    assert (
        re.findall(r'url\((data:image/[a-z]+;base64,)', html)
        == ['data:image/jpeg;base64,']
        == re.findall(r'url\(([^)]{23})', html)
    )
    assert not any(tag in ('link', 'iframe', 'object') for tag, _ in page.tags)
    for tag, attributes in page.tags:
        assert not any(name.startswith('on') for name in attributes)
        assert attributes.get('src', 'data:').startswith('data:image/png;base64,') or tag != 'img'
    # the only script is the page's own, and a browser runs no other
    assert page.all('script') == [{}]
    script = re.search('<script>(.*)</script>', html, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = (tag['content'] for tag in page.all('meta') if tag.get('http-equiv') == 'Content-Security-Policy')
    assert policy == f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert {'name': 'viewport', 'content': 'width=device-width, initial-scale=1'} in page.all('meta')
    assert all(image['alt'] for image in page.all('img'))
    # what is wider than a phone scrolls by itself
    assert len(page.all('table')) == len([box for box in page.all('div') if box.get('class') == 'box']) == 3


def test_what_comes_from_files_is_escaped(manifest, tmp_path):
    for record in manifest.stages.values():
        record.update(config=EVIL, error=EVIL, options={EVIL: EVIL}, versions={EVIL: EVIL}, config_hash=EVIL)
    manifest.stages[EVIL] = dict(manifest.stages['cam'], metrics={f'CAM/{EVIL}.mIoU': 3.0})
    manifest.pipeline['stages'].append(EVIL)
    row = photo(EVIL, {EVIL: (0, 0, 0)}, f'label of {EVIL}', [EVIL])
    row.facts = [EVIL]
    html = render(manifest, [Gallery(EVIL, EVIL, [row], note=EVIL)], title=EVIL, date=EVIL, pipeline=EVIL)
    page = Page(html)
    assert html.count('<script') == 1 and page.all('script') == [{}]
    assert page.texts.count(EVIL) > 12 and [image['alt'] for image in page.all('img')] == [f'label of {EVIL}']
    assert page.all('option') == [{'value': ''}, {'value': '0', 'data-name': EVIL}]


def test_the_filter_knows_the_classes_of_each_photo(manifest):
    names = [f'class {number:03d} "&<{number}>' for number in range(300)]
    rows = [photo(f'img {number}', {names[number]: (1, 2, 3), names[0]: (4, 5, 6)}) for number in range(300)]
    page = Page(render(manifest, [Gallery('a', 'b', rows[:200]), Gallery('c', 'd', [*rows[200:], photo('bare')])]))
    options = page.all('option')
    assert options[0] == {'value': ''} and [one['data-name'] for one in options[1:]] == names
    assert f'{names[0]} (300)' in page.texts and f'{names[7]} (1)' in page.texts
    wanted = [set(f'{number} 0'.split()) for number in range(300)] + [set()]
    assert [set(one['data-classes'].split()) for one in page.all('article')] == wanted


def test_without_photos_there_is_nothing_to_filter(manifest):
    html = render(manifest)
    assert not Page(html).all('select') and '<script' not in html and 'nan' not in html.lower().split()


def test_without_masks_nothing_is_said_of_miou(manifest):
    for record in manifest.stages.values():
        record['metrics'] = {}
    for path in glob.glob(os.path.join(os.path.dirname(manifest.path), '*', 'stage_details.json')):
        os.remove(path)
    html = render(manifest)
    assert 'IoU' not in html and 'Thresholds' not in html and [len(Page(html).all('table'))] == [1]


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
    page = Page(render(manifest, [Gallery('some', 'text', [photo()], note='Some photos are missing')]))
    assert 'Some photos are missing' in page.texts and 'text' in page.texts


def test_three_images_are_seen_at_once(manifest):
    gallery = Gallery('Pictures', 'text', [photo(f'img {index}') for index in range(5)])
    html = render(manifest, [gallery])
    before, _, after = html.partition('More photos: 2')
    assert [f'img {index}' in before for index in range(5)] == [True, True, True, False, False]
    assert [f'img {index}' in after for index in range(5)] == [False, False, False, True, True]
    assert '<summary>More photos' not in render(manifest, [Gallery('Pictures', 'text', gallery.rows[:3])])


def test_links_of_the_page_lead_somewhere(manifest):
    page = Page(render(manifest, [Gallery('one', 'a', [photo()]), Gallery('two', 'b')]))
    targets = [attributes['id'] for tag, attributes in page.tags if 'id' in attributes and tag == 'section']
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
