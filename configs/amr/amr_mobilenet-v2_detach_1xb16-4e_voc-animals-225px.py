_base_ = './amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
# as released, the first layers with AMMs get no gradient, so that these AMMs keep their random start
model = dict(compensation=dict(detach_after='layer5'))
find_unused_parameters = True
