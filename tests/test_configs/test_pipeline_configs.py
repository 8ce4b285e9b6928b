"""Every pipeline config: its stages fit together, and what it sets is there."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmamr.engine.runner import WSSSRunner
from mmamr.engine.runner.stage import NAME, leaves

CONFIGS = Path(__file__).parents[2] / 'configs'
PIPELINES = sorted(path.relative_to(CONFIGS) for path in CONFIGS.rglob('*-pipeline_*.py'))


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
            if key.endswith(('output_dir', 'init_cfg.checkpoint')):
                continue
            if isinstance(value, str) and NAME.search(value):
                # what an earlier stage makes takes the place of what the config has when it runs alone
                node = plain
                for part in key.split('.'):
                    node = node[int(part)] if part.isdigit() else node[part]
                assert isinstance(node, str)
        # what stands first, and learns from real masks, needs nothing
        assert stage.names() or stage.name in ('classifier', 'baseline', names[0])


def test_children_change_single_stages(tmp_path):
    base = build('amr/amr-pipeline_mobilenet-v2_irnet_deeplabv2_voc-animals.py', tmp_path)

    def changed(name):
        child = build(f'amr/{name}.py', tmp_path)
        names = [*base.stages, *(name for name in child.stages if name not in base.stages)]
        return [name for name in names if base.stages.get(name) != child.stages.get(name)]

    assert changed('amr-pipeline_mobilenet-v2_affinitynet_deeplabv2_voc-animals') == [
        'affinity_label',
        'affinity',
        'pseudo_label',
    ]
    assert changed('amr-pipeline_mobilenet-v2_wo-affinity_deeplabv2_voc-animals') == [
        'affinity_label',
        'affinity',
        'pseudo_label',
    ]
    assert changed('cam-pipeline_mobilenet-v2_irnet_deeplabv2_voc-animals') == ['classifier', 'cam']
    base = build('amr/amr-pipeline_resnet50_irnet_deeplabv2-r101_voc12aug.py', tmp_path)
    assert changed('amr-pipeline_resnet50_irnet_segformer-b2_voc12aug') == ['segmentation', 'evaluation']
    assert changed('amr-pipeline_resnet50-released_irnet_deeplabv2-r101_voc12aug') == ['classifier', 'cam', 'baseline']


def test_a_child_elsewhere_finds_the_stages(tmp_path):
    child = tmp_path / 'mine.py'
    child.write_text(
        f"_base_ = '{CONFIGS}/amr/amr-pipeline_resnet18-w16_irnet_deeplabv2_embedded.py'\n"
        "stages = dict(segmentation=dict(options={'train_cfg.max_iters': 5}))\n"
    )
    runner = build(child, tmp_path)
    assert Path(runner.stages['cam'].config).parent == CONFIGS / 'amr'
    assert runner._load(runner.stages['segmentation']).train_cfg.max_iters == 5
