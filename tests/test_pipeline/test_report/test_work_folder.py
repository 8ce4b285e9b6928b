from mmamr.pipeline.report.work_folder import read_stages


def test_stages_stand_in_the_order_of_the_pipeline(manifest):
    manifest.stages.pop('segmentation')
    stages = read_stages(manifest)
    assert [stage.name for stage in stages] == ['classifier', 'cam', 'labels', 'segmentation', 'evaluation']
    assert [stage.state for stage in stages] == ['done', 'done', 'done', 'not run', 'failed']
    assert stages[3].images is None and stages[3].scores == [] and stages[3].output('checkpoint') is None


def test_what_a_stage_left(manifest):
    classifier, cam, labels, _, evaluation = read_stages(manifest)
    assert classifier.images == 8 and classifier.validates and not cam.validates
    assert classifier.losses['loss'] == ([10, 20], [1.5, 0.5]) and cam.losses == {}
    assert classifier.settings.model.type == '<b>Net</b>'
    assert classifier.setting_texts == {'model.type': "'<b>Net</b>'"}
    assert cam.rows['spotlight']['classes'] == ['background', 'disc', 'square']
    assert set(labels.rows) == {'walk', 'labels'}
    # what a stage that is not done left is of an earlier run
    assert evaluation.details == [] and evaluation.rows == {}


def test_loops(manifest):
    assert [stage.loop for stage in read_stages(manifest)] == [None, 'CAMLoop', 'PseudoLabelLoop', None, 'TestLoop']


def test_a_manifest_of_before(manifest):
    manifest.pipeline = {}
    assert [stage.name for stage in read_stages(manifest)] == list(manifest.stages)


def test_broken_files_are_missing_files(manifest, tmp_path):
    (tmp_path / 'cam' / 'stage_details.json').write_text('[{"classes": ')
    (tmp_path / 'cam' / 'stage_settings.json').write_text('[]')
    cam = read_stages(manifest)[1]
    assert (
        cam.details == []
        and cam.settings is None
        and cam.setting_texts == {}
        and len(cam.scores) == 3
        and cam.loop is None
    )


def test_outputs_of_a_folder_that_was_moved(manifest, tmp_path):
    manifest.stages['cam']['outputs'] = dict(out_dir=dict(path='/elsewhere/cam/cams'))
    cam = read_stages(manifest)[1]
    assert cam.output('out_dir') == '/elsewhere/cam/cams'
    (tmp_path / 'cam' / 'cams').mkdir()
    assert cam.output('out_dir') == str(tmp_path / 'cam' / 'cams')
