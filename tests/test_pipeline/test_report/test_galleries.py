"""The report that a pipeline leaves, and the files that it is drawn from."""

import json
import re
import shutil

import numpy as np
import pytest

from mmamr.apis import write_report
from mmamr.engine.loops import CAMLoop
from mmamr.fileio import read_mask
from mmamr.pipeline import StageError
from mmamr.pipeline.manifest import Manifest
from mmamr.pipeline.report.galleries import draw_galleries
from mmamr.pipeline.report.segmentor import Segmentor
from mmamr.pipeline.report.work_folder import read_stages
from mmamr.structures import ClassIndex

CLASSES = ['background', 'disc', 'square', 'cross']
CAPTIONS = [
    'photo',
    'weighted CAM, ξ = 0.5',
    r'pseudo label, IoU \d+ %',
    r'prediction, IoU \d+ %',
    'ground truth',
    'spotlight',
    'compensation',
    'random walk',
]
IMAGES = 12 * 7 + 4 * 2
"""Layers over the photos that CAMs are made of, and over those of the evaluation."""


def details(work_dir, stage):
    return json.loads((work_dir / stage / 'stage_details.json').read_text())


def test_a_pipeline_ends_with_its_report(finished):
    html = (finished / 'report.html').read_text(encoding='utf-8')
    assert '<h1>tiny_pipeline</h1>' in html and '8 of 8 stages done' in html
    headings = re.findall('<h2>(.*)</h2>', html)
    assert headings == [
        'Least certain photos',
        'Random photos',
        'Random validation photos',
        'Stages',
        'mIoU of every stage',
        'IoU of each class (%)',
        'Thresholds',
        'Losses',
        'Configs and versions',
    ]
    assert 'No pictures' not in html
    assert html.count('src="data:image/') == html.count('<img ') == IMAGES
    assert html.count('<article ') == html.count('--photo: url(data:image/jpeg;base64,') == 16
    captions = re.findall('</button>\n<figcaption>(.*?)</figcaption>', html)
    assert len(captions) == IMAGES + 16
    assert all(re.fullmatch(*pair) for pair in zip(CAPTIONS, captions))
    assert len(html) < 1 << 20 and not re.search('https?:', html)
    for line in ('report: ', 'report.html'):
        assert line in (finished / 'pipeline.log').read_text()


def test_details_of_each_metric_are_kept(finished):
    metrics = {name: record['metrics'] for name, record in Manifest(str(finished)).stages.items()}
    (cam,) = details(finished, 'cam')
    assert cam['classes'] == CLASSES and set(cam['rows']) == {'spotlight', 'compensation', 'weighted'}
    for name, row in cam['rows'].items():
        assert max(row['miou']) == pytest.approx(metrics['cam'][f'CAM/{name}.best_mIoU'])
        assert row['miou'][row['thresholds'].index(row['threshold'])] == metrics['cam'][f'CAM/{name}.mIoU']
        assert np.mean(row['iou']) == pytest.approx(max(row['miou']))
    (label,) = details(finished, 'affinity_label')
    assert np.mean(label['rows']['label']['iou']) == pytest.approx(metrics['affinity_label']['label/mIoU'])
    for stage in ('segmentation', 'evaluation'):
        (one,) = details(finished, stage)
        assert one['classes'] == CLASSES
        known = [value for value in one['rows']['']['iou'] if value is not None]
        assert np.mean(known) == pytest.approx(metrics[stage]['mIoU'], abs=0.01)
    assert details(finished, 'classifier') == details(finished, 'affinity') == []


def test_what_the_pipeline_changes_is_written_down(finished):
    manifest = Manifest(str(finished))
    assert manifest.pipeline['config'].endswith('tiny_pipeline.py')
    assert manifest.pipeline['stages'] == list(manifest.stages)
    assert manifest.stages['cam']['options'] == {'load_from': '{classifier.checkpoint}'}
    assert manifest.stages['walk']['options'] == {
        'load_from': '{affinity.checkpoint}',
        'test_cfg.cam_dir': '{cam.out_dir}',
    }


def test_options_for_all_stages_are_written_down(pipeline, done, shared_voc):
    options = {'options.auto_scale_lr.enable': False, 'options.test_cfg.fp16': False}
    pipeline(done, only_stages=['evaluation'], data_root=str(shared_voc), redo=True, **options).train()
    assert Manifest(str(done)).stages['evaluation']['options'] == {
        'test_cfg': {'fp16': False},
        'data_root': str(shared_voc),
        'load_from': '{segmentation.checkpoint}',
    }


def test_a_failed_pipeline_has_a_report(pipeline, done, monkeypatch):
    (done / 'report.html').unlink()
    shutil.rmtree(done / 'cam')

    def fail(*args):
        raise MemoryError('<so many> bytes')

    with monkeypatch.context() as patch, pytest.raises(StageError):
        patch.setattr(CAMLoop, 'make', fail)
        pipeline(done).train()
    html = (done / 'report.html').read_text(encoding='utf-8')
    assert 'cam failed: out of memory' in html and '&lt;so many&gt; bytes' in html
    assert 'Random validation photos' in html
    # the labels of before are still there, and what they were made of
    assert 'Least certain photos' in html and 'weighted CAM' not in html


def test_a_run_with_nothing_to_do_draws_no_other(pipeline, done):
    before = (done / 'report.html').stat().st_mtime_ns
    pipeline(done).train()
    assert (done / 'report.html').stat().st_mtime_ns == before
    (done / 'report.html').unlink()
    pipeline(done).train()
    assert (done / 'report.html').exists()


def test_no_report_is_no_failure(pipeline, done, monkeypatch):

    def fail(*args):
        raise ZeroDivisionError('by zero')

    (done / 'report.html').unlink()
    monkeypatch.setattr('mmamr.pipeline.report.write.render_page', fail)
    assert pipeline(done).train()['evaluation']
    assert not (done / 'report.html').exists()
    assert 'no report: ZeroDivisionError: by zero' in (done / 'pipeline.log').read_text()


def test_by_hand(load_tool, done, capsys, tmp_path, shared_voc, monkeypatch):
    main = load_tool('analysis_tools/report.py').main
    main([str(done), '--num', '2', '--seed', '3', '--out', str(tmp_path / 'mine.html')])
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / 'mine.html')
    html = (tmp_path / 'mine.html').read_text(encoding='utf-8')
    numbers = [html.count(f'<h2>{title}') for title in ('Least certain', 'Random', 'Photos of the lowest IoU')]
    assert numbers == [1, 2, 1] and html.count('<article ') <= 3 * 2 + 2 + 2 * 2 and 'seed 3' in html
    main([str(done), '--num', '0'])
    assert '<img ' not in (done / 'report.html').read_text(encoding='utf-8')
    with pytest.raises(SystemExit, match=r'^[^\n]*manifest\.json: no stage was run here; name the work'):
        main([str(tmp_path / 'nowhere')])
    with pytest.raises(SystemExit):
        main([str(done), '--num', '-1'])
    (done / 'manifest.json').write_text('{')
    with pytest.raises(SystemExit, match=r'^[^\n]*manifest\.json is no manifest[^\n]*$'):
        main([str(done)])


def test_without_the_images_the_rest_is_there(done, tiny_voc, shared_voc):
    settings = done / 'cam' / 'stage_settings.json'
    settings.write_text(settings.read_text().replace(str(shared_voc), str(tiny_voc)))
    shutil.rmtree(tiny_voc / 'JPEGImages')
    for path in (done / 'segmentation').glob('*.pth'):
        path.write_bytes(b'')
    write_report(str(done))
    html = (done / 'report.html').read_text(encoding='utf-8')
    assert re.search('No pictures: .*JPEGImages', html) and html.count('No pictures: ') == 2
    assert 'mIoU of every stage' in html and '<img ' not in html


def test_without_the_settings_of_stages_the_rest_is_there(done):
    (done / 'segmentation' / 'stage_settings.json').unlink()
    (done / 'cam' / 'stage_settings.json').unlink()
    write_report(str(done))
    html = (done / 'report.html').read_text(encoding='utf-8')
    # nobody knows what the stage did whose settings are lost
    assert 'weighted CAM' not in html and 'random walk' in html and 'Random validation photos' in html
    assert 'No predictions' not in html


def test_nothing_that_lies_in_the_folder_is_run(done, tmp_path):
    """Settings are read as data; the configs that mmengine leaves beside its logs are not looked at."""
    for path in done.glob('*/*.py'):
        path.write_text(f"open({str(tmp_path / 'run')!r}, 'w')")
    write_report(str(done))
    assert not (tmp_path / 'run').exists()
    assert (done / 'report.html').read_text(encoding='utf-8').count('<img ') == IMAGES


def test_a_folder_that_was_moved(done, tmp_path):
    moved = done.rename(tmp_path / 'moved')
    write_report(str(moved))
    html = (moved / 'report.html').read_text(encoding='utf-8')
    assert 'No pictures' not in html and html.count('<img ') == IMAGES


def test_predictions_are_those_of_the_evaluation(pipeline, done, shared_voc):
    folder = str(done / 'predictions')
    stages = {'evaluation': {'options': {'test_evaluator.output_dir': folder}}}
    pipeline(done, stages=stages, only_stages=['evaluation'], redo=True).train()
    stages = read_stages(Manifest(str(done)))
    segmentor = Segmentor(stages, stages[-1])
    for index in range(len(segmentor.dataset)):
        path = segmentor.dataset.get_data_info(index)['img_path']
        expected = read_mask(
            path.replace(str(shared_voc / 'JPEGImages'), folder).replace('.jpg', '.png'), ClassIndex(CLASSES[1:])
        )
        np.testing.assert_array_equal(segmentor.prediction(path, expected.shape), expected)
        assert segmentor.model is None
        np.testing.assert_array_equal(segmentor.predict_file(path), expected)
        assert segmentor.truth(index).shape == expected.shape
        segmentor.model = None


def test_test_time_options_are_carried_out(pipeline, done):
    switches = {'test_time': dict(ms=True, scales=(1.0, 1.5), flip=True)}
    pipeline(done, stages={'evaluation': {'options': switches}}, only_stages=['evaluation'], redo=True).train()
    galleries = draw_galleries(read_stages(Manifest(str(done))), 1)
    assert {gallery.note for gallery in galleries} == {''} and galleries[0].title == 'Least certain photos'
    captions = [layer.caption for layer in galleries[0].rows[0].layers]
    assert all(re.fullmatch(*pair) for pair in zip(CAPTIONS[1:], captions)) and len(captions) == 7
    assert 'ms_flip' in (done / 'report.html').read_text(encoding='utf-8')


def test_captions_tell_what_is_to_be_seen(finished):
    row = draw_galleries(read_stages(Manifest(str(finished))), 1, seed=1)[0].rows[0]
    alts = {layer.caption.partition(',')[0]: layer.alt for layer in row.layers}
    assert re.fullmatch(
        rf'ground truth of {row.title}: background \d+%(, (disc|square|cross) \d+%)+(, unsure \d+%)?',
        alts['ground truth'],
    )
    assert re.fullmatch(rf'spotlight of {row.title}: (disc|square|cross)(, (disc|square|cross))*', alts['spotlight'])
    assert [fact.partition(':')[0] for fact in row.facts] == ['certainty', 'label and prediction']
