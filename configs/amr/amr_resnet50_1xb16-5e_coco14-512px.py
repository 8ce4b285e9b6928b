# AMR on COCO 2014: 82,783 photos to train with, 40,504 to validate on, 80 classes. Settings are those of VOC 2012, but for
# the 5 epochs that IRNet's classifier is given on COCO by RIB and AMN. data_root is what
# `python tools/dataset_converters/photos.py data/coco --out data/coco14` makes of COCO's own folders, with masks that are
# drawn from its polygons.
_base_ = './amr_resnet50_1xb16-8e_voc12aug-512px.py'
data_root = '{{$MMAMR_COCO14:data/coco14}}'
metainfo = dict(
    # in the order of COCO's json; their values in masks are 1 to 80
    classes=(
        'person', 'bicycle', 'car', 'motorcycle', 'airplane', 'bus', 'train', 'truck', 'boat', 'traffic light',
        'fire hydrant', 'stop sign', 'parking meter', 'bench', 'bird', 'cat', 'dog', 'horse', 'sheep', 'cow',
        'elephant', 'bear', 'zebra', 'giraffe', 'backpack', 'umbrella', 'handbag', 'tie', 'suitcase', 'frisbee',
        'skis', 'snowboard', 'sports ball', 'kite', 'baseball bat', 'baseball glove', 'skateboard', 'surfboard',
        'tennis racket', 'bottle', 'wine glass', 'cup', 'fork', 'knife', 'spoon', 'bowl', 'banana', 'apple',
        'sandwich', 'orange', 'broccoli', 'carrot', 'hot dog', 'pizza', 'donut', 'cake', 'chair', 'couch',
        'potted plant', 'bed', 'dining table', 'toilet', 'tv', 'laptop', 'mouse', 'remote', 'keyboard', 'cell phone',
        'microwave', 'oven', 'toaster', 'sink', 'refrigerator', 'book', 'clock', 'vase', 'scissors', 'teddy bear',
        'hair drier', 'toothbrush',
    ),
)  # fmt: skip
coco = dict(data_root=data_root, metainfo=metainfo)
labels = dict(type='CSVLabels', file='labels.csv')
train = 'ImageSets/Segmentation/train.txt'
train_dataloader = dict(dataset=dict(**coco, labels=dict(_delete_=True, **labels), split=train))
val_dataloader = dict(dataset=dict(**coco, labels=dict(_delete_=True, **labels)))
test_dataloader = dict(dataset=dict(**coco, labels=dict(_delete_=True, **labels), split=train))
num_classes = dict(head=dict(num_classes=80))
model = dict(spotlight=num_classes, compensation=num_classes)
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=5, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=5)
