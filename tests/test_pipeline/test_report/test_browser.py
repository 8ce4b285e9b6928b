"""The page in a browser, where there is one: nothing is wider than a phone, and its script does what it should."""

import json
import re
import shutil
import subprocess
from html import unescape

import numpy as np
import pytest

from mmamr.pipeline.report.page import render_page
from mmamr.pipeline.report.pictures import Gallery, Layer, PictureRow
from mmamr.pipeline.report.work_folder import read_stages

CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason='no Chromium')]
NAMES = ['cat & "dog"', '<b>x</b>', 'ü, ß = 100%']
PROBE = """
try {
const $ = selector => document.querySelector(selector), found = {};
const shown = () => [...document.querySelectorAll('.photo')].filter(one => !one.hidden);
const seen = () => shown().map(one => one.querySelector('h3').textContent);
const press = key => $('#viewer').dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
const caption = () => $('#viewer .caption').textContent;
found.width = innerWidth;
found.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
found.hash = seen();
location.hash = '';
$('#class').value = '0';
for (const kind of ['input', 'change']) $('#class').dispatchEvent(new Event(kind));
found.filtered = seen();
found.state = decodeURIComponent(location.hash.replaceAll('+', ' '));
found.nothing = [...document.querySelectorAll('.none')].map(one => one.hidden);
$('#overlay').value = 20;
for (const kind of ['input', 'change']) $('#overlay').dispatchEvent(new Event(kind));
found.opacity = getComputedStyle($('.picture img')).opacity;
$('#class').value = '';
$('#class').dispatchEvent(new Event('input'));
document.querySelectorAll('.picture')[1].click();
found.opened = [$('#viewer').open, caption()];
press('ArrowRight'); found.right = caption();
press('ArrowLeft'); press('ArrowLeft'); found.left = caption();
press('ArrowDown'); found.down = caption();
$('#viewer [data-step="0"]').click();
found.closed = !$('#viewer').open;
parent.postMessage(JSON.stringify(found), '*');
} catch (error) { parent.postMessage(JSON.stringify(String(error)), '*'); }
"""


@pytest.fixture
def page(manifest):
    """Two galleries of photos of three classes, as HTML."""
    image = np.zeros((90, 160, 3), dtype=np.uint8)
    rows = []
    for number in range(5):
        row = PictureRow.from_photo(f'photo {number}' + 'x' * 60 * (number == 4), image)
        labels = np.ones((90, 160), dtype=np.uint8)
        row.layers = [Layer.from_labels(labels, [(0, 0, 0), (9, 9, 9)], caption, 'x') for caption in ('CAM', 'label')]
        row.legend = {NAMES[number % 3]: (1, 2, 3)}
        rows.append(row)
    manifest.pipeline['stages'].append('a_stage_with_a_long_name' * 5)
    galleries = [Gallery('one', 'text', rows[:4]), Gallery('two', 'text', rows[4:])]
    return render_page('report', 'today', 'configs/a.py', read_stages(manifest), galleries)


def browse(path):
    """The document after its scripts have run."""
    command = [CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu', '--window-size=1300,900', '--dump-dom']
    done = subprocess.run([*command, path], capture_output=True, timeout=120, check=True)
    return done.stdout.decode('utf-8')


@pytest.mark.parametrize('width', [390, 1200])
def test_in_a_browser(page, tmp_path, width):
    probed = re.sub('script-src &#39;.*?&#39;', "script-src 'unsafe-inline'", page)
    (tmp_path / 'page.html').write_text(probed.replace('</body>', f'<script>{PROBE}</script></body>'), encoding='utf-8')
    # a window has 500 pixels at least, a frame has what it is given
    frame = tmp_path / 'frame.html'
    frame.write_text(
        "<script>onmessage = event => { document.title = event.data; };</script><iframe style='border: 0' "
        f"width={width} height=800 src='page.html#class=%3Cb%3Ex%3C%2Fb%3E'></iframe>"
    )
    found = json.loads(unescape(re.search('<title>(.*?)</title>', browse(frame.as_uri())).group(1)))
    long = 'photo 4' + 'x' * 60
    assert found['width'] == width and found['overflow'] == 0
    # classes are in alphabetical order: <b>x</b> first
    assert found['hash'] == found['filtered'] == ['photo 1', long]
    assert found['state'] == '#class=<b>x</b>' and found['nothing'] == [True, True]
    assert found['opacity'] == '0.2'
    assert found['opened'] == [True, 'photo 0: CAM'] and found['right'] == 'photo 0: label'
    assert found['left'] == 'photo 0: photo' and found['down'] == 'photo 1: photo' and found['closed']


def test_the_policy_lets_the_script_run(page, tmp_path):
    assert '<form class="bar" id="bar" hidden' in page
    path = tmp_path / 'page.html'
    path.write_text(page, encoding='utf-8')
    assert '<form class="bar" id="bar">' in browse(path.as_uri())
