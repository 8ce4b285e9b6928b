"""Settings in a work folder of somebody else are data: a report of it runs nothing."""

import json
import pickle

from mmamr.apis import write_report
from mmamr.pipeline.report.work_folder import read_stages


class Bomb:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, 'w')


def hostile(ran, folder):
    (folder / 'annotations.pkl').write_bytes(pickle.dumps(Bomb(ran)))
    return [
        dict(type='builtins.open', file=str(ran), mode='w'),
        dict(type='os.mkdir', path=str(ran)),
        dict(type='mmengine.dump', obj=[1], file=f'{ran}.json'),
        dict(type='mmengine.fileio.load', file=str(folder / 'annotations.pkl')),
        dict(type='mmpretrain.BaseDataset', ann_file=str(folder / 'annotations.pkl')),
        dict(type='mmengine.ConcatDataset', datasets=[dict(type='builtins.open', file=str(ran), mode='w')]),
    ]


def test_types_that_are_not_registered(manifest, tmp_path):
    ran, path = tmp_path / 'ran', tmp_path / 'cam' / 'stage_settings.json'
    out = tmp_path / 'cam' / 'cams'
    out.mkdir(parents=True)
    manifest.update('cam', outputs=dict(out_dir=dict(path=str(out), count=0, hash='a')))
    for dataset in hostile(ran, tmp_path):
        settings = dict(
            default_scope='mmamr', test_cfg=dict(type='CAMLoop'), test_dataloader=dict(batch_size=1, dataset=dataset)
        )
        path.write_text(json.dumps(settings))
        with open(write_report(str(tmp_path)), encoding='utf-8') as file:
            assert 'No pictures: ' in file.read()
        assert not list(tmp_path.glob('ran*')), dataset


def test_a_scope_that_would_be_imported(manifest, tmp_path):
    path = tmp_path / 'cam' / 'stage_settings.json'
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(dict(default_scope='evil', test_cfg=dict(type='CAMLoop'))))
    assert next(stage for stage in read_stages(manifest) if stage.name == 'cam').settings is None
