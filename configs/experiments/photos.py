# One's own photos, as the README has them: 100 photos and tags of four classes, drawn by the seed, then masks of new
# ones. MMAMR_VOC_ANIMALS names the data set that they are drawn from.
_base_ = '../_base_/datasets/voc-animals.py'
data = 'voc-animals'
title = '100 tagged photos of four classes of voc-animals, and masks of 112 new ones'
photos = dict(
    data_root=_base_.data_root,
    metainfo=_base_.metainfo,
    classes=('cat', 'cow', 'dog', 'horse'),
    sizes=dict(photos=100, new=28, more=84),
)
pipeline = '../pipelines/photos_efficientnet-lite.py'
runs = dict(photos=dict(config=pipeline, photos=photos))
rows = [dict(name='photos_efficientnet-lite', run='photos')]
