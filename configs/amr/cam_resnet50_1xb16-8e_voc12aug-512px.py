# The plain CAM classifier on ResNet-50 at output stride 16, BatchNorm in evaluation mode, as AMR and IRNet have it.
_base_ = ['../_base_/datasets/voc12aug.py', '../_base_/default_runtime.py']
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True),
    spotlight=dict(
        backbone=dict(
            type='mmseg.ResNet',
            depth=50,
            strides=(1, 2, 2, 1),
            dilations=(1, 1, 1, 1),
            out_indices=(3,),
            style='pytorch',
            norm_eval=True,
            init_cfg=dict(type='StrictPretrained', checkpoint='torchvision://resnet50', unused=('fc.',)),
        ),
        head=dict(type='CAMHead', num_classes=20, in_channels=2048),
    ),
)
class_heads = dict(foreground=['model.spotlight.head'])
# The paper's: SGD, momentum 0.9, learning rate 0.01, weight decay 1e-4, poly 0.9, 8 epochs of batches of 16.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=8, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(by_epoch=True, max_epochs=8, val_interval=1)
val_cfg = dict()
test_cfg = dict(type='CAMLoop')
test_evaluator = dict(type='CAMMetric', xis=(0.1, 0.3, 0.5, 0.7, 0.9))
auto_scale_lr = dict(base_batch_size=16, enable=False)
# The CAMs of the same four images after each epoch, in TensorBoard and vis_data/vis_image.
custom_hooks = [dict(type='CAMVisualizationHook', num=4)]
