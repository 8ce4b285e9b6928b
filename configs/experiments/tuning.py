# What AMR's settings were chosen from: measured on photos of train, val is not looked at. On voc-animals, the default, in
# two rounds: the first is about where AMM stands, the weights of the losses and the rates; the second about statistics and pooling of AMM, normalisation and
# mask of L_cps, what the branches start from, the learning rate, the scales of the CAMs.
_base_ = './_base_/{{$MMAMR_DATA:voc-animals}}.py'
splits = dict(_delete_=True, train='ImageSets/Segmentation/train.txt')
if _base_.data == 'voc-animals':
    title = f'Tuning AMR on 200 training photos of {_base_.where}: weighted CAMs'
    amr, plain = _base_.amr, _base_.plain
    photos = {'test_dataloader.dataset.indices': 200}
    cps = 'model.loss_cps'
    layers = 'model.compensation.modulation.layers'
    amm_rate = 'optim_wrapper.paramwise_cfg.custom_keys.amm.lr_mult'
    rate = 'optim_wrapper.optimizer.lr'
    without = {'model.compensation.modulation': None}
    longer = {'train_cfg.max_epochs': 6, 'train_cfg.val_interval': 6, 'param_scheduler.0.end': 6}
    last, fast = {layers: r'layer6\.[12]\.conv\.2'}, {amm_rate: 30.0}
    function = 'model.compensation.modulation.amm.function'
    pdf = {f'{function}.type': 'GaussianModulation', f'{function}.form': 'pdf'}
    batch = {f'{function}.type': 'GaussianModulation', f'{function}.statistics': 'batch'}
    gradient = {f'{function}.type': 'GaussianModulation', f'{function}.detach': False}
    spatial = 'model.compensation.modulation.amm.spatial'
    max_avg = {f'{spatial}.pooling': 'max-avg', f'{spatial}.norm_cfg.type': 'BN', f'{spatial}.norm_cfg.momentum': 0.01}
    normalized = {f'{cps}.relu': True, f'{cps}.normalize': True}
    # both branches start from the plain classifier, not from ImageNet; {checkpoint} is the one of load_from
    backbone, head = ('model.compensation.backbone.init_cfg', 'model.compensation.head.init_cfg')
    start = {
        f'{backbone}.checkpoint': '{checkpoint}',
        f'{backbone}.prefix': 'spotlight.backbone.',
        f'{backbone}.unused': (),
        f'{head}.type': 'StrictPretrained',
        f'{head}.checkpoint': '{checkpoint}',
        f'{head}.prefix': 'spotlight.head.',
    }
    one, two = {**photos, 'test_cfg.scales': [1.5]}, {**photos, 'test_cfg.scales': [1.0, 1.5]}
    low, three = {**photos, 'test_cfg.scales': [0.5, 1.0, 1.5]}, {**photos, 'test_cfg.scales': [1.0, 1.5, 2.0]}
    four = {**photos, 'test_cfg.scales': [0.5, 1.0, 1.5, 2.0]}
    runs = dict(
        plain=dict(config=plain, options=photos),
        amr=dict(config=amr, options=photos),
        last=dict(config=amr, options={**photos, layers: r'layer6\.[12]\.conv\.2'}),
        first=dict(config=amr, options={**photos, layers: r'layer5\.[12]\.conv\.2'}),
        every=dict(config=amr, options={**photos, layers: r'layer[567]\.\d\.conv\.2'}),
        cps_low=dict(config=amr, options={**photos, f'{cps}.loss_weight': 0.1}),
        cps_high=dict(config=amr, options={**photos, f'{cps}.loss_weight': 0.4}),
        to_spotlight=dict(config=amr, options={**photos, f'{cps}.detach': 'spotlight'}),
        to_compensation=dict(config=amr, options={**photos, f'{cps}.detach': 'compensation'}),
        half=dict(config=amr, options={**photos, 'model.loss_cls.loss_weight': 1.0}),
        amm_slow=dict(config=amr, options={**photos, amm_rate: 3.0}),
        amm_fast=dict(config=amr, options={**photos, amm_rate: 30.0}),
        more=dict(config=amr, options={**photos, 'model.loss_cls.loss_weight': 4.0}),
        plain_fast=dict(config=plain, options={**photos, rate: 0.006}),
        without_amm=dict(config=amr, options={**photos, **without}),
        without_amm_cps_low=dict(config=amr, options={**photos, **without, f'{cps}.loss_weight': 0.1}),
        without_amm_cps_high=dict(config=amr, options={**photos, **without, f'{cps}.loss_weight': 0.4}),
        longer=dict(config=amr, options={**photos, **longer}),
        plain_longer=dict(config=plain, options={**photos, **longer}),
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
        from_cam=dict(config=amr, options={**photos, **start}, load_from='plain'),
        rate_low=dict(config=amr, options={**photos, rate: 0.002}),
        plain_low=dict(config=plain, options={**photos, rate: 0.002}),
        rate_high=dict(config=amr, options={**photos, rate: 0.0045}),
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
        dict(name='AMM in the later of its two stages only', run='last', cam='weighted'),
        dict(name='AMM in the earlier one only', run='first', cam='weighted'),
        dict(name='AMM in every block that is trained', run='every', cam='weighted'),
        dict(name='L_cps of weight 0.1', run='cps_low', cam='weighted'),
        dict(name='L_cps of weight 0.4', run='cps_high', cam='weighted'),
        dict(name='L_cps pulls the compensation branch only', run='to_spotlight', cam='weighted'),
        dict(name='L_cps pulls the spotlight only', run='to_compensation', cam='weighted'),
        dict(name='half of L_cls a branch, as in eq. 10, not all of it', run='half', cam='weighted'),
        dict(name='AMM learns at 3 times the rate, not 10', run='amm_slow', cam='weighted'),
        dict(name='AMM learns at 30 times the rate', run='amm_fast', cam='weighted'),
        dict(name='twice L_cls a branch', run='more', cam='weighted'),
        dict(name='plain classifier, learning rate 0.006', run='plain_fast', cam='spotlight'),
        dict(name='two branches without AMM', run='without_amm', cam='weighted'),
        dict(name='two branches without AMM, L_cps of weight 0.1', run='without_amm_cps_low', cam='weighted'),
        dict(name='two branches without AMM, L_cps of weight 0.4', run='without_amm_cps_high', cam='weighted'),
        dict(name='6 epochs', run='longer', cam='weighted'),
        dict(name='plain classifier, 6 epochs', run='plain_longer', cam='spotlight'),
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
elif _base_.data == 'voc07-mini':
    # on all of its few photos
    title = f'Tuning AMR on the training photos of {_base_.where}: weighted CAMs'
    amr = _base_.amr
    layers = 'model.compensation.modulation.layers'
    weight = 'model.loss_cps.loss_weight'
    amm_rate = 'optim_wrapper.paramwise_cfg.custom_keys.amm.lr_mult'
    both = {layers: r'layer[56]\.[12]\.conv\.2'}
    single = {layers: r'layer6\.2\.conv\.2'}
    runs = dict(
        plain=dict(config=_base_.plain),
        both_stages=dict(config=amr, options={**both, weight: 0.2}),
        without_cps=dict(config=amr, options={**both, 'model.loss_cps': None}),
        cps_002=dict(config=amr, options={**both, weight: 0.02}),
        cps_005=dict(config=amr, options={**both, weight: 0.05}),
        slow_3=dict(config=amr, options={**both, weight: 0.2, amm_rate: 3.0}),
        slow_1=dict(config=amr, options={**both, weight: 0.2, amm_rate: 1.0}),
        slow_1_cps_005=dict(config=amr, options={**both, weight: 0.05, amm_rate: 1.0}),
        last=dict(config=amr, options={weight: 0.2}),
        amr=dict(config=amr),
        single=dict(config=amr, options={**single, weight: 0.2}),
        single_cps_005=dict(config=amr, options=single),
    )
    rows = [
        dict(name='plain classifier', run='plain', cam='spotlight'),
        dict(name='AMM in both stages, L_cps of weight 0.2, as on voc-animals', run='both_stages', cam='weighted'),
        dict(name='no L_cps', run='without_cps', cam='weighted'),
        dict(name='L_cps of weight 0.02', run='cps_002', cam='weighted'),
        dict(name='L_cps of weight 0.05', run='cps_005', cam='weighted'),
        dict(name='L_cps of weight 0.2, AMM learns at 3 times the rate, not 10', run='slow_3', cam='weighted'),
        dict(name='L_cps of weight 0.2, AMM learns at the rate', run='slow_1', cam='weighted'),
        dict(name='L_cps of weight 0.05, AMM learns at the rate', run='slow_1_cps_005', cam='weighted'),
        dict(name='AMM in the later stage only, L_cps of weight 0.2', run='last', cam='weighted'),
        dict(name="AMM in the later stage only, L_cps of weight 0.05: AMR's default here", run='amr', cam='weighted'),
        dict(name='AMM in one block only, L_cps of weight 0.2', run='single', cam='weighted'),
        dict(name='AMM in one block only, L_cps of weight 0.05', run='single_cps_005', cam='weighted'),
    ]
else:
    from mmamr.utils import InputError

    raise InputError(f'tuning was made for voc-animals and voc07-mini, not for {_base_.data}; name one by --data')
