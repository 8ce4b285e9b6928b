# The paper's Table 6: AMR on other classifiers, SEAM's and IRNet's.
_base_ = './amr_gain_voc-animals.py'
title = 'Table 6 on voc-animals, MobileNetV2'
runs = dict(
    _delete_=True,
    seam=dict(config='../seam/seam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
    seam_amr=dict(config='../seam/seam-amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
    irnet=dict(config='../amr/cam_mobilenet-v2-irnet_1xb16-5e_voc-animals-225px.py'),
    irnet_amr=dict(config='../amr/amr_mobilenet-v2-irnet_1xb16-5e_voc-animals-225px.py'),
)
rows = [
    dict(name='SEAM', run='seam', cam='spotlight', paper=55.4),
    dict(name='SEAM + AMR', run='seam_amr', cam='weighted', paper=57.9),
    dict(name="IRNet's classifier", run='irnet', cam='spotlight', paper=48.3),
    dict(name="IRNet's classifier + AMR", run='irnet_amr', cam='weighted', paper=56.8),
]
