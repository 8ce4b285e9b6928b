# The scales of IRNet's CAMs in the place of the small configs' two: what the classifiers gain, and what AMR gains over the
# others then. On the first 200 photos of each list, which are all of val.
_base_ = './amr_gain_voc-animals.py'
title = 'CAMs of scales 0.5, 1, 1.5 and 2 on voc-animals, MobileNetV2, 200 photos of each list'
plain = '../amr/cam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
without_amm = '../amr/amr_mobilenet-v2_wo-amm_1xb16-4e_voc-animals-225px.py'
amr = '../amr/amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
photos = {'test_dataloader.dataset.indices': 200}
scales = {**photos, 'test_cfg.scales': [0.5, 1.0, 1.5, 2.0]}
runs = dict(
    _delete_=True,
    plain=dict(config=plain),
    without_amm=dict(config=without_amm),
    amr=dict(config=amr),
    plain_scales=dict(config=plain, checkpoint_of='plain', options=scales),
    ensemble_scales=dict(ensemble_of='plain_scales', options=photos),
    without_amm_scales=dict(config=without_amm, checkpoint_of='without_amm', options=scales),
    amr_scales=dict(config=amr, checkpoint_of='amr', options=scales),
)
rows = [
    dict(name='plain classifier', run='plain_scales', cam='spotlight'),
    dict(name='two plain classifiers averaged', run='ensemble_scales', cam='spotlight'),
    dict(name='two branches without AMM, weighted', run='without_amm_scales', cam='weighted'),
    dict(name='AMR, spotlight', run='amr_scales', cam='spotlight'),
    dict(name='AMR, compensation', run='amr_scales', cam='compensation'),
    dict(name='AMR, weighted', run='amr_scales', cam='weighted'),
]
