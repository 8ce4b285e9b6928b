# Each step sees its crops at three scales; the losses of each and of their maximum are added.
_base_ = './deeplabv2_r101-d8_1xb10-20k_voc12aug-321x321.py'
model = dict(type='mmamr.MultiScaleInputSegmentor', train_scales=(1.0, 0.75, 0.5))
