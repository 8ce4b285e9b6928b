# A second round around what the first (tuning_voc-animals.py) came to: statistics and pooling of AMM, normalisation and
# mask of L_cps, what the branches start from, the learning rate, the scales of the CAMs. On 200 photos of train again, val
# is not looked at.
_base_ = './tuning_voc-animals.py'
amr, plain, photos = _base_.amr, _base_.plain, _base_.photos
from_cam = '../amr/amr_mobilenet-v2_from-cam_1xb16-4e_voc-animals-225px.py'
last, fast = {_base_.layers: r'layer6\.[12]\.conv\.2'}, {_base_.amm_rate: 30.0}
function = 'model.compensation.modulation.amm.function'
pdf = {f'{function}.type': 'GaussianModulation', f'{function}.form': 'pdf'}
batch = {f'{function}.type': 'GaussianModulation', f'{function}.statistics': 'batch'}
gradient = {f'{function}.type': 'GaussianModulation', f'{function}.detach': False}
spatial = 'model.compensation.modulation.amm.spatial'
max_avg = {f'{spatial}.pooling': 'max-avg', f'{spatial}.norm_cfg.type': 'BN', f'{spatial}.norm_cfg.momentum': 0.01}
cps = 'model.loss_cps'
normalized = {f'{cps}.relu': True, f'{cps}.normalize': True}
start = {f'model.compensation.{part}.init_cfg.checkpoint': '{checkpoint}' for part in ('backbone', 'head')}
one, two = {**photos, 'test_cfg.scales': [1.5]}, {**photos, 'test_cfg.scales': [1.0, 1.5]}
low, three = {**photos, 'test_cfg.scales': [0.5, 1.0, 1.5]}, {**photos, 'test_cfg.scales': [1.0, 1.5, 2.0]}
four = {**photos, 'test_cfg.scales': [0.5, 1.0, 1.5, 2.0]}
runs = dict(
    _delete_=True,
    plain=dict(config=plain, options=photos),
    amr=dict(config=amr, options=photos),
    pdf=dict(config=amr, options={**photos, **pdf}),
    batch=dict(config=amr, options={**photos, **batch}),
    gradient=dict(config=amr, options={**photos, **gradient}),
    max_avg=dict(config=amr, options={**photos, **max_avg}),
    pdf_max_avg=dict(config=amr, options={**photos, **pdf, **max_avg}),
    pdf_last=dict(config=amr, options={**photos, **pdf, **last}),
    max_avg_last=dict(config=amr, options={**photos, **max_avg, **last}),
    max_avg_fast=dict(config=amr, options={**photos, **max_avg, **fast}),
    last_fast=dict(config=amr, options={**photos, **last, **fast}),
    cps_present=dict(config=amr, options={**photos, f'{cps}.classes': 'present', f'{cps}.loss_weight': 0.05}),
    cps_normalized=dict(config=amr, options={**photos, **normalized, f'{cps}.loss_weight': 0.02}),
    cps_normalized_high=dict(config=amr, options={**photos, **normalized, f'{cps}.loss_weight': 0.1}),
    from_spotlight=dict(config=amr, options=photos, load_from='plain'),
    from_cam=dict(config=from_cam, options={**photos, **start}, load_from='plain'),
    rate_low=dict(config=amr, options={**photos, _base_.rate: 0.002}),
    plain_low=dict(config=plain, options={**photos, _base_.rate: 0.002}),
    rate_high=dict(config=amr, options={**photos, _base_.rate: 0.0045}),
    plain_scales_one=dict(config=plain, checkpoint_of='plain', options=one),
    amr_scales_one=dict(config=amr, checkpoint_of='amr', options=one),
    plain_scales_two=dict(config=plain, checkpoint_of='plain', options=two),
    amr_scales_two=dict(config=amr, checkpoint_of='amr', options=two),
    plain_scales_low=dict(config=plain, checkpoint_of='plain', options=low),
    amr_scales_low=dict(config=amr, checkpoint_of='amr', options=low),
    plain_scales_three=dict(config=plain, checkpoint_of='plain', options=three),
    amr_scales_three=dict(config=amr, checkpoint_of='amr', options=three),
    plain_scales_four=dict(config=plain, checkpoint_of='plain', options=four),
    amr_scales_four=dict(config=amr, checkpoint_of='amr', options=four),
)
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight'),
    dict(name="AMR's default", run='amr', cam='weighted'),
    dict(name='A4: Gaussian as a density', run='pdf', cam='weighted'),
    dict(name='A5: statistics of the batch', run='batch', cam='weighted'),
    dict(name='gradient through the statistics', run='gradient', cam='weighted'),
    dict(name='A3: spatial attention of maximum and mean, BatchNorm', run='max_avg', cam='weighted'),
    dict(name='A3 and A4', run='pdf_max_avg', cam='weighted'),
    dict(name='A4, AMM in the later stage only', run='pdf_last', cam='weighted'),
    dict(name='A3, AMM in the later stage only', run='max_avg_last', cam='weighted'),
    dict(name='A3, AMM learns at 30 times the rate', run='max_avg_fast', cam='weighted'),
    dict(name='AMM in the later stage only, at 30 times the rate', run='last_fast', cam='weighted'),
    dict(name='L_cps of present classes, weight 0.05', run='cps_present', cam='weighted'),
    dict(name='L_cps of normalised maps, weight 0.02', run='cps_normalized', cam='weighted'),
    dict(name='L_cps of normalised maps, weight 0.1', run='cps_normalized_high', cam='weighted'),
    dict(name='the spotlight starts from the plain classifier', run='from_spotlight', cam='weighted'),
    dict(name='both branches start from the plain classifier', run='from_cam', cam='weighted'),
    dict(name='learning rate 0.002', run='rate_low', cam='weighted'),
    dict(name='plain classifier, learning rate 0.002', run='plain_low', cam='spotlight'),
    dict(name='learning rate 0.0045', run='rate_high', cam='weighted'),
    dict(name='plain classifier, scale 1.5', run='plain_scales_one', cam='spotlight'),
    dict(name="AMR's default, scale 1.5", run='amr_scales_one', cam='weighted'),
    dict(name='plain classifier, scales 1 and 1.5', run='plain_scales_two', cam='spotlight'),
    dict(name="AMR's default, scales 1 and 1.5", run='amr_scales_two', cam='weighted'),
    dict(name='plain classifier, scales 0.5, 1 and 1.5', run='plain_scales_low', cam='spotlight'),
    dict(name="AMR's default, scales 0.5, 1 and 1.5", run='amr_scales_low', cam='weighted'),
    dict(name='plain classifier, scales 1, 1.5 and 2', run='plain_scales_three', cam='spotlight'),
    dict(name="AMR's default, scales 1, 1.5 and 2", run='amr_scales_three', cam='weighted'),
    dict(name='plain classifier, scales 0.5, 1, 1.5 and 2', run='plain_scales_four', cam='spotlight'),
    dict(name="AMR's default, scales 0.5, 1, 1.5 and 2", run='amr_scales_four', cam='weighted'),
]
