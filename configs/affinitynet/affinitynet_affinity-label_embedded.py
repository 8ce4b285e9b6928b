# Confident labels for AffinityNet, of the CAMs in cam_dir. These CAMs are faint on the bodies: AffinityNet's powers
# (4, 24) would leave a third of them.
_base_ = '../irnet/irnet_affinity-label_embedded.py'
test_cfg = dict(
    _delete_=True, type='AffinityLabelLoop', cam_dir=None, method='affinitynet', low_alpha=16, high_alpha=128
)
