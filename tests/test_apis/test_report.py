from mmamr.apis.report_pictures import without_masks


def test_pipelines_without_masks():
    load, mask, pack = (dict(type=name) for name in ('mmamr.LoadImage', 'mmamr.LoadMask', 'PackSegInputs'))
    resize, flip = dict(type='Resize', scale=(4, 4)), dict(type='RandomFlip', prob=1.)
    assert without_masks([load, mask, pack]) == [load, pack]
    assert without_masks([load, resize, dict(type='LoadAnnotations'), pack]) == [load, resize, pack]
    views = dict(type='mmcv.TestTimeAug', transforms=[[resize], [flip, dict(flip, prob=0.)], [mask], [pack]])
    assert without_masks([load, views]) == [
        load, dict(views, transforms=[[resize], [flip, dict(flip, prob=0.)], [pack]])]
    assert len(views['transforms']) == 4
