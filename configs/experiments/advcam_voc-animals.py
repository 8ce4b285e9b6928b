# Adversarial climbing for everybody, beside the same CAMs without it: on the plain classifier, on two of them averaged, and on
# AMR. Measured on the first 100 photos of each list, as a step costs a forward and a backward pass a class, scale and branch.
_base_ = './amr_gain_voc-animals.py'
title = 'AdvCAM on voc-animals, MobileNetV2, 100 photos'
photos = {'test_dataloader.dataset.indices': 100}
runs = dict(
    _delete_=True,
    plain=dict(config='../amr/cam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
    amr=dict(config='../amr/amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
    plain_photos=dict(
        config='../amr/cam_mobilenet-v2_1xb16-4e_voc-animals-225px.py', checkpoint_of='plain', options=photos
    ),
    ensemble_photos=dict(ensemble_of='plain_photos', options=photos),
    amr_photos=dict(
        config='../amr/amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py', checkpoint_of='amr', options=photos
    ),
    plain_climbed=dict(
        config='../amr/cam_mobilenet-v2_advcam_1xb16-4e_voc-animals-225px.py', checkpoint_of='plain', options=photos
    ),
    ensemble_climbed=dict(ensemble_of='plain_climbed', options=photos),
    amr_climbed=dict(
        config='../amr/amr_mobilenet-v2_advcam_1xb16-4e_voc-animals-225px.py', checkpoint_of='amr', options=photos
    ),
)
rows = [
    dict(name='plain classifier', run='plain_photos', cam='spotlight'),
    dict(name='two plain classifiers averaged', run='ensemble_photos', cam='spotlight'),
    dict(name='AMR, weighted', run='amr_photos', cam='weighted'),
    dict(name='plain classifier, climbed', run='plain_climbed', cam='spotlight'),
    dict(name='two plain classifiers averaged, climbed', run='ensemble_climbed', cam='spotlight'),
    dict(name='AMR, weighted, climbed', run='amr_climbed', cam='weighted'),
]
