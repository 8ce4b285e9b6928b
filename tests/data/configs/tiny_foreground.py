# CAMs of tiny_amr.py spread over the foreground; MMAMR_TINY_CAMS names their folder.
_base_ = './tiny_amr.py'
test_cfg = dict(
    _delete_=True,
    type='ForegroundLoop',
    cam_dir='{{$MMAMR_TINY_CAMS:cams}}',
    layers=('layer2', 'layer3'),
)
