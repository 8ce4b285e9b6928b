# The 422 photographs of VOC 2007 with masks, of all 20 classes at full size: 205 to train with and to make CAMs of, 217
# to validate on. MMAMR_VOC07_MINI names the folder. Crops and batches are those of voc-animals; twice as long, at three
# times the rate, and smaller scales.
_base_ = [
    '../_base_/models/cam_mobilenet-v2.py',
    '../_base_/datasets/voc-animals.py',
    '../_base_/default_runtime.py',
]
data_root = '{{$MMAMR_VOC07_MINI:data/voc07-mini}}'
dataset = dict(data_root=data_root, metainfo=None)  # the 20 classes of VOC
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
optim_wrapper = dict(optimizer=dict(lr=0.01))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=8, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=8, val_interval=8)
test_cfg = dict(scales=(0.4, 0.8))
