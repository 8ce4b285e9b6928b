# The paper's Table 6: AMR on other classifiers, SEAM's and IRNet's.
_base_ = './_base_/{{$MMAMR_DATA:voc-animals}}.py'
if _base_.data != 'voc-animals':
    from mmamr.utils import InputError

    raise InputError(f'table6 has no configs of SEAM for {_base_.data}; run it with --data voc-animals')

title = f'Table 6 on {_base_.where}'
# The schedule and the scales of IRNet's own classifier (configs/irnet/cam_resnet50_irnet_….py). At its rate of 0.1 the
# loss of this network is NaN within an epoch.
irnet = {
    'optim_wrapper.optimizer.lr': 0.03,
    'optim_wrapper.optimizer.momentum': 0.0,
    'param_scheduler.0.end': 5,
    'train_cfg.max_epochs': 5,
    'train_cfg.val_interval': 1,
    'test_cfg.scales': [1.0, 0.5, 1.5, 2.0],
    'test_evaluator.threshold': 0.15,
}
runs = dict(
    seam=dict(config='../seam/seam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
    seam_amr=dict(config='../seam/seam-amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
    irnet=dict(config=_base_.plain, options=irnet),
    irnet_amr=dict(config=_base_.amr, options=irnet),
)
rows = [
    dict(name='SEAM', run='seam', cam='spotlight', paper=55.4),
    dict(name='SEAM + AMR', run='seam_amr', cam='weighted', paper=57.9),
    dict(name="IRNet's classifier", run='irnet', cam='spotlight', paper=48.3),
    dict(name="IRNet's classifier + AMR", run='irnet_amr', cam='weighted', paper=56.8),
]
