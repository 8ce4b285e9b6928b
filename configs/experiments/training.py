# The choices of the training, one by one, against AMR's default: rows T1 to T5 of
# docs/advanced_guides/paper-and-released-code.md.
_base_ = './_base_/{{$MMAMR_DATA:voc-animals}}.py'
title = f"AMR's training one choice at a time on {_base_.where}: weighted CAMs"
amr, cps = _base_.amr, 'model.loss_cps'
detach = {
    'model.compensation.detach_after': _base_.first_layer,
    # AMMs in front of it get no gradient
    'find_unused_parameters': True,
}
runs = dict(
    plain=dict(config=_base_.plain),
    amr=dict(config=amr),
    frozen=dict(config=amr, options={'model.frozen_spotlight': True}, load_from='plain'),
    detach=dict(config=amr, options=detach),
    cps_1=dict(config=amr, options={f'{cps}.loss_weight': 1.0}),
    cps_present=dict(config=amr, options={f'{cps}.loss_weight': 0.02, f'{cps}.classes': 'present'}),
    cps_first_pair=dict(config=amr, options={f'{cps}.samples': 'first-pair'}),
)
if _base_.data == 'embedded':
    # L_cps has the released weight and a ReLU by default here; in their place is the default of photographs
    runs.update(cps_photos=dict(config=amr, options={f'{cps}.loss_weight': 0.2, f'{cps}.relu': False}))
    other = dict(name='T4: L_cps of weight 0.2 before ReLU (default on photographs)', run='cps_photos', cam='weighted')
else:
    runs.update(cps_released=dict(config=amr, options={f'{cps}.loss_weight': 0.05, f'{cps}.relu': True}))
    other = dict(name='T4: L_cps of weight 0.05 after ReLU (released)', run='cps_released', cam='weighted')
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight'),
    dict(name="AMR's default", run='amr', cam='weighted'),
    dict(name='T1, T2: the plain classifier as frozen spotlight (released)', run='frozen', cam='weighted'),
    dict(name='T3: AMMs of the first trained layer keep their start (released)', run='detach', cam='weighted'),
    dict(name='T4: L_cps of weight 1 (paper)', run='cps_1', cam='weighted'),
    other,
    dict(name='T4: L_cps of present classes, weight 0.02', run='cps_present', cam='weighted'),
    dict(name='T5: L_cps of the first map plus the mirrored second (released)', run='cps_first_pair', cam='weighted'),
]
