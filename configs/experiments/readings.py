# The paper's AMR: what its text and Figure 2 fix is the same in all rows (AMM after stages 1 to 3, half of L_cls a branch,
# L_cps of weight 1, SGD with momentum 0.9, rate 0.01 where a network starts from ImageNet, 8 epochs of batches of 16, one
# rate for all layers, nothing frozen); the rows differ in what it leaves open.
_base_ = './_base_/{{$MMAMR_DATA:voc-animals}}.py'
title = f"Readings of the paper's AMR on {_base_.where}"
amr, cps, rates = _base_.amr, 'model.loss_cps', 'optim_wrapper.paramwise_cfg.custom_keys'
backbones = [f'model.{branch}.backbone' for branch in ('spotlight', 'compensation')]
fixed = {
    **_base_.figure,
    'model.loss_cls.loss_weight': 1.0,
    f'{cps}.loss_weight': 1.0,
    f'{cps}.relu': False,
    f'{rates}.head.lr_mult': 1.0,
    f'{rates}.amm.lr_mult': 1.0,
}
batch_norm = {}
if _base_.data != 'embedded':  # which learns from scratch: rate, epochs and norms of the small config stay
    fixed.update(
        {
            'optim_wrapper.optimizer.lr': 0.01,
            'param_scheduler.0.end': 8,
            'train_cfg.max_epochs': 8,
            'train_cfg.val_interval': 8,
            'model.shared_layers': None,
            **{f'{backbone}.frozen_stages': -1 for backbone in backbones},
        }
    )
    batch_norm = {
        **{f'{backbone}.norm_eval': False for backbone in backbones},
        **{f'{backbone}.norm_cfg.requires_grad': True for backbone in backbones},
    }
to_spotlight = {f'{cps}.detach': 'spotlight'}
ten = {f'{rates}.head.lr_mult': 10.0, f'{rates}.amm.lr_mult': 10.0}
relu, normalized = {f'{cps}.relu': True}, {f'{cps}.relu': True, f'{cps}.normalize': True}
present = {f'{cps}.classes': 'present'}
runs = dict(
    plain=dict(config=_base_.plain),
    amr=dict(config=amr),
    places=dict(config=amr, options=_base_.figure),
    literal=dict(config=amr, options=fixed),
    relu=dict(config=amr, options={**fixed, **relu}),
    target=dict(config=amr, options={**fixed, **to_spotlight}),
    target_relu=dict(config=amr, options={**fixed, **to_spotlight, **relu}),
    target_normalized=dict(config=amr, options={**fixed, **to_spotlight, **normalized}),
    target_present=dict(config=amr, options={**fixed, **to_spotlight, **relu, **present}),
    target_ten=dict(config=amr, options={**fixed, **to_spotlight, **ten}),
)
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight'),
    dict(name="AMR's default", run='amr', cam='weighted'),
    dict(name="AMR's default with AMM after stages 1 to 3", run='places', cam='weighted'),
    dict(name='the text to the letter', run='literal', cam='weighted'),
    dict(name='L_cps of maps after ReLU', run='relu', cam='weighted'),
    dict(name='the spotlight is the target of L_cps', run='target', cam='weighted'),
    dict(name='the same, of maps after ReLU', run='target_relu', cam='weighted'),
    dict(name='the same, of maps divided by their maximum', run='target_normalized', cam='weighted'),
    dict(name='the same after ReLU, of the present classes', run='target_present', cam='weighted'),
    dict(name='the spotlight is the target, new layers at ten times the rate', run='target_ten', cam='weighted'),
]
if batch_norm:
    runs.update(
        norms=dict(config=amr, options={**fixed, **batch_norm}),
        target_norms=dict(config=amr, options={**fixed, **batch_norm, **to_spotlight}),
        target_norms_ten=dict(config=amr, options={**fixed, **batch_norm, **to_spotlight, **ten}),
    )
    rows += [
        dict(name='BatchNorm is trained', run='norms', cam='weighted'),
        dict(name='BatchNorm is trained, the spotlight is the target', run='target_norms', cam='weighted'),
        dict(name='the same, new layers at ten times the rate', run='target_norms_ten', cam='weighted'),
    ]
