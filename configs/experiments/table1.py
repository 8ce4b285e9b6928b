# Table 1: DeepLab-v2 trained on IRNet's labels of the plain classifier's CAMs and of AMR's, beside the same model trained
# on real masks; at one scale, and with scales, mirror image and CRF at test time. With the same --work-dir
# refinement.py adds the other refinements.
_base_ = './_base_/{{$MMAMR_DATA:voc-animals}}.py'
if _base_.data != 'voc-animals':
    from mmamr.utils import InputError

    raise InputError(f'table1 has no pipelines for {_base_.data}; run it with --data voc-animals')

title = f'Table 1 on {_base_.where}'
stages = (
    'classifier',
    'cam',
    'affinity_label',
    'affinity',
    'walk',
    'pseudo_label',
    'segmentation',
    'evaluation',
    'evaluation_test_time',
)
spread = (*stages[:2], 'foreground', *stages[2:])
runs = dict(
    plain_spread=dict(config=_base_.spread_pipeline, options={'stages.classifier.config': _base_.plain}, stages=spread),
    amr_spread=dict(config=_base_.spread_pipeline, stages=spread),
    plain=dict(config=_base_.pipeline, options=_base_.plain_options, stages=stages),
    amr=dict(config=_base_.pipeline, stages=stages),
    supervised=dict(config=_base_.supervised),
)
segmentation = {
    'DeepLab-v2, val': ('evaluation', 'mIoU'),
    'with test time, val': ('evaluation_test_time', 'ms_flip_crf/mIoU'),
}
labels = {'labels, train': ('pseudo_label', 'pseudo_label/mIoU'), **segmentation}
rows = [
    dict(name='plain classifier', run='plain', metrics={'CAM, train': ('cam', 'CAM/spotlight.best_mIoU'), **labels}),
    dict(name='AMR', run='amr', metrics={'CAM, train': ('cam', 'CAM/weighted.best_mIoU'), **labels}),
    dict(
        name='plain classifier, spread',
        run='plain_spread',
        metrics={'CAM, train': ('foreground', 'CAM/foreground.best_mIoU'), **labels},
    ),
    dict(
        name='AMR, spread',
        run='amr_spread',
        metrics={'CAM, train': ('foreground', 'CAM/foreground.best_mIoU'), **labels},
    ),
    dict(name='real masks', run='supervised', metrics=segmentation),
]
