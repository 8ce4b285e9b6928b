# The 422 photographs of VOC 2007 with masks, of all 20 classes at full size: 205 to train with and to make CAMs of, 217
# to validate on. MMAMR_VOC07_MINI names the folder. Crops and batches are those of voc-animals.
_base_ = './voc-animals.py'
data_root = '{{$MMAMR_VOC07_MINI:data/voc07-mini}}'
metainfo = None  # the 20 classes of VOC

train_dataloader = dict(dataset=dict(data_root=data_root, metainfo=metainfo))
val_dataloader = dict(dataset=dict(data_root=data_root, metainfo=metainfo))
test_dataloader = dict(dataset=dict(data_root=data_root, metainfo=metainfo))
