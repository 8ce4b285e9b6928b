"""Every pipeline config: its stages fit together, and what it sets is there."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmamr.pipeline import WSSSRunner
from mmamr.pipeline.settings import leaves
from mmamr.pipeline.stage import NAME

CONFIGS = Path(__file__).parents[2] / 'configs'
PIPELINES = sorted(path.relative_to(CONFIGS) for path in (CONFIGS / 'pipelines').glob('*.py'))


def build(path, work_dir, **settings):
    cfg = Config.fromfile(CONFIGS / path)
    cfg.merge_from_dict(dict(work_dir=str(work_dir), **settings))
    return WSSSRunner.from_cfg(cfg)


@pytest.mark.parametrize('path', PIPELINES, ids=str)
def test_stages_fit_together(path, tmp_path):
    runner = build(path, tmp_path)
    names = list(runner.stages)
    assert names[names.index('segmentation') + 1] == 'evaluation'
    for stage in runner.stages.values():
        plain = Config.fromfile(stage.config)
        for key, value in leaves(stage.options):
            if 'type' in stage.options.get('test_cfg', {}) and key.startswith('test_cfg.'):
                continue  # a loop of its own, not that of the config
            if key.endswith(('output_dir', 'init_cfg.checkpoint')):
                continue
            if isinstance(value, str) and NAME.search(value):
                # what an earlier stage makes takes the place of what the config has when it runs alone
                node = plain
                for part in key.split('.'):
                    node = node[part]
                assert node is None or isinstance(node, str)
        # what stands first, and learns from real masks, needs nothing
        assert stage.names() or stage.name in ('classifier', 'baseline', names[0])


@pytest.mark.parametrize('path', PIPELINES, ids=str)
def test_labels_are_made_of_what_is_there(path, tmp_path):
    """Walks without the background take a threshold, walks with it one of their powers."""
    stages = build(path, tmp_path).stages
    for stage in stages.values():
        if stage.kind != 'test' or stage.load_config({}, None).test_cfg.get('type') != 'PseudoLabelLoop':
            continue
        source = stages[stage.options['test_cfg.cam_dir'].removeprefix('{').partition('.')[0]]
        powers = source.load_config({}, None).test_cfg.get('powers')
        if powers is None:
            assert 'test_cfg.power' not in stage.options
        else:
            assert stage.options['test_cfg.power'] in powers and 'test_cfg.threshold' not in stage.options


def test_children_change_single_stages(tmp_path):
    base = build('pipelines/amr_mobilenet-v2_irnet_deeplabv2_voc-animals.py', tmp_path)

    def changed(name, base=base, **settings):
        child = build(f'pipelines/{name}.py', tmp_path, **settings)
        names = [*base.stages, *(name for name in child.stages if name not in base.stages)]
        return [name for name in names if base.stages.get(name) != child.stages.get(name)]

    refinement = ['foreground', 'affinity_label', 'affinity', 'walk', 'pseudo_label']
    assert changed('amr_mobilenet-v2_affinitynet_deeplabv2_voc-animals') == refinement
    plain = {'stages.classifier.config': '../amr/cam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'}
    spread = ['classifier', 'cam', 'foreground']
    assert changed('amr_mobilenet-v2_irnet_deeplabv2_voc-animals', **plain) == spread
    embedded = build('pipelines/amr_resnet18-w16_irnet_deeplabv2_embedded.py', tmp_path)
    assert changed('cam_resnet18-w16_irnet_deeplabv2_embedded', embedded) == ['classifier', 'cam']
    voc12 = build('pipelines/amr_resnet50_irnet_deeplabv2-r101_voc12aug.py', tmp_path)
    same = 'amr_resnet50_irnet_deeplabv2-r101_voc12aug'
    segformer = '../segformer/segformer_mit-b2_1xb16-20k_voc12aug-pseudo-512x512.py'
    assert changed(same, voc12, **{'stages.segmentation.config': segformer}) == ['segmentation', 'evaluation']
    paper = '../amr/amr_resnet50_paper_1xb16-8e_voc12aug-512px.py'
    assert changed(same, voc12, **{'stages.classifier.config': paper}) == ['classifier', 'cam']
    released = changed('amr_resnet50_released_irnet_deeplabv2-r101_voc12aug', voc12)
    assert released == ['classifier', 'cam', 'baseline']


def test_a_child_elsewhere_finds_the_stages(tmp_path):
    child = tmp_path / 'mine.py'
    child.write_text(
        f"_base_ = '{CONFIGS}/pipelines/amr_resnet18-w16_irnet_deeplabv2_embedded.py'\n"
        "stages = dict(segmentation=dict(options={'train_cfg.max_iters': 5}))\n"
    )
    stages = build(child, tmp_path).stages
    assert Path(stages['cam'].config).resolve().parent == CONFIGS / 'amr'
    segmentation = stages['segmentation'].load_config({}, None)
    assert segmentation.train_cfg.max_iters == 5
    assert segmentation.train_dataloader.dataset.label_dir == '{pseudo_label.out_dir}'
