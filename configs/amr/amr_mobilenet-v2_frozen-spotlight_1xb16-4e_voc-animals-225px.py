_base_ = './amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
# the second of two runs, as released: the spotlight is the plain classifier
model = dict(frozen_spotlight=True)
load_from = 'work_dirs/cam_mobilenet-v2_1xb16-4e_voc-animals-225px/epoch_4.pth'
