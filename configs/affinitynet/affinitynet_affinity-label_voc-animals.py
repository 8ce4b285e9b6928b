# Confident labels for AffinityNet, of the CAMs in cam_dir.
_base_ = '../irnet/irnet_affinity-label_voc-animals.py'
test_cfg = dict(_delete_=True, type='AffinityLabelLoop', cam_dir=None, method='affinitynet', low_alpha=4, high_alpha=24)
