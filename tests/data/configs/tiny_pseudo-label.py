_base_ = './tiny_amr.py'
class_heads = None
model = dict(_delete_=True, type='NoModel')
test_cfg = dict(_delete_=True, type='PseudoLabelLoop', cam_dir='{{$MMAMR_TINY_CAMS:cams}}', threshold=0.3)
test_evaluator = [dict(type='CAMMetric', threshold=0.3), dict(type='LabelMetric')]
