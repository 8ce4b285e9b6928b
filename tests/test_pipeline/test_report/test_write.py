from mmengine.config import Config

from mmamr.apis import write_report
from mmamr.pipeline.manifest import Manifest
from mmamr.pipeline.report.galleries import find, find_labels
from mmamr.pipeline.report.segmentor import without_masks
from mmamr.pipeline.report.work_folder import StageFiles


def test_pipelines_without_masks():
    load, mask, pack = (dict(type=name) for name in ('mmamr.LoadImage', 'mmamr.LoadMask', 'PackSegInputs'))
    resize, flip = dict(type='Resize', scale=(4, 4)), dict(type='RandomFlip', prob=1.0)
    assert without_masks([load, mask, pack]) == [load, pack]
    assert without_masks([load, resize, dict(type='LoadAnnotations'), pack]) == [load, resize, pack]
    views = dict(type='mmcv.TestTimeAug', transforms=[[resize], [flip, dict(flip, prob=0.0)], [mask], [pack]])
    assert without_masks([load, views]) == [
        load,
        dict(views, transforms=[[resize], [flip, dict(flip, prob=0.0)], [pack]]),
    ]
    assert len(views['transforms']) == 4


def stage(name, loop, kind='test', state='done'):
    return StageFiles(name, name, dict(state=state, kind=kind), Config(dict(test_cfg=dict(type=loop))))


def test_labels_are_those_that_the_segmentation_learns_from():
    irnet, other = stage('pseudo_label', 'PseudoLabelLoop'), stage('affinitynet_pseudo_label', 'mmamr.PseudoLabelLoop')
    trained, evaluation = stage('segmentation', 'TestLoop', 'train'), stage('evaluation', 'TestLoop')
    stages = [stage('cam', 'CAMLoop'), irnet, trained, evaluation, other]
    assert find(stages, 'TestLoop') is evaluation
    assert find_labels(stages, evaluation) is irnet
    # without an evaluation, or with none before it, the last there are
    assert find_labels(stages, None) is other
    assert find_labels([trained, evaluation, other], evaluation) is other
    assert find_labels([evaluation], evaluation) is None


def test_stages_that_are_not_done_or_not_known_are_not_found():
    failed, lost = stage('cam', 'CAMLoop', state='failed'), StageFiles('cam', 'cam', dict(state='done', kind='test'))
    assert find([failed, lost], 'CAMLoop', 'TestLoop') is None


def test_a_pipeline_that_has_not_begun(tmp_path):
    """The manifest still has the record of a stage that the pipeline no longer has."""
    manifest = Manifest(str(tmp_path))
    manifest.update('old', state='done', kind='test', started='2026-01-02T03:04:05+00:00')
    manifest.describe('configs/new.py', ['new'])
    with open(write_report(str(tmp_path)), encoding='utf-8') as file:
        html = file.read()
    assert '0 of 1 stages done' in html and '<p class="pale">Report written ' in html
