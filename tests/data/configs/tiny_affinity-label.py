_base_ = './tiny_amr.py'
class_heads = None
model = dict(_delete_=True, type='NoModel')
test_cfg = dict(
    _delete_=True,
    type='AffinityLabelLoop',
    cam_dir='{{$MMAMR_TINY_CAMS:cams}}',
    method='irnet',
    fg_threshold=0.5,
    bg_threshold=0.3,
    crf=dict(iterations=2),
)
test_evaluator = dict(type='LabelMetric')
