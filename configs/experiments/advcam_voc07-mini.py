# Climbing on the first 100 photos of each list; see advcam_voc-animals.py.
_base_ = './advcam_voc-animals.py'
title = 'AdvCAM on voc07-mini, MobileNetV2, 100 photos'
plain = '../amr/cam_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'
amr = '../amr/amr_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'
photos = {'test_dataloader.dataset.indices': 100}
climbed = {**photos, 'test_cfg.climb.steps': 3, 'test_cfg.climb.coefficient': 0.0}
runs = dict(
    _delete_=True,
    plain=dict(config=plain),
    amr=dict(config=amr),
    plain_photos=dict(config=plain, checkpoint_of='plain', options=photos),
    ensemble_photos=dict(ensemble_of='plain_photos', options=photos),
    amr_photos=dict(config=amr, checkpoint_of='amr', options=photos),
    plain_climbed=dict(config=plain, checkpoint_of='plain', options=climbed),
    ensemble_climbed=dict(ensemble_of='plain_climbed', options=photos),
    amr_climbed=dict(config=amr, checkpoint_of='amr', options=climbed),
)
