# From CAMs to pseudo labels, for the plain classifier and for AMR (table1.py goes on to the segmentation). CAMs and walks
# at their best threshold, or power, on train; labels as their configs make them.
_base_ = './_base_/{{$MMAMR_DATA:voc-animals}}.py'
if _base_.data not in ('voc-animals', 'embedded'):
    from mmamr.utils import InputError

    raise InputError(f'refinement has no pipelines for {_base_.data}; run it with --data voc-animals or embedded')

title = f'Pseudo labels on {_base_.where}'
stages = (
    'classifier',
    'cam',
    'crf_label',
    'affinity_label',
    'affinity',
    'walk',
    'pseudo_label',
    'affinitynet_label',
    'affinitynet',
    'affinitynet_walk',
    'affinitynet_pseudo_label',
)
runs = dict(
    plain=dict(config=_base_.pipeline, options=_base_.plain_options, stages=stages),
    amr=dict(config=_base_.pipeline, stages=stages),
)
rows = []
for name, run, cam in (('plain', 'plain', 'spotlight'), ('AMR', 'amr', 'weighted')):
    rows += [
        dict(
            name=f'{name}: CAM',
            run=run,
            metrics={'best train': ('cam', f'CAM/{cam}.best_mIoU'), 'labels, train': ('cam', f'CAM/{cam}.mIoU')},
        ),
        dict(name=f'{name}: CAM + CRF', run=run, metrics={'labels, train': ('crf_label', 'pseudo_label/mIoU')}),
        dict(
            name=f'{name}: IRNet',
            run=run,
            metrics={
                'best train': ('walk', 'walk/walk.best_mIoU'),
                'labels, train': ('pseudo_label', 'pseudo_label/mIoU'),
            },
        ),
        dict(
            name=f'{name}: AffinityNet',
            run=run,
            metrics={
                'best train': ('affinitynet_walk', 'walk/walk.best_mIoU'),
                'labels, train': ('affinitynet_pseudo_label', 'pseudo_label/mIoU'),
            },
        ),
    ]
del name, run, cam
