_base_ = [
    '../_base_/models/amr_mobilenet-v2-d16.py',
    '../_base_/datasets/voc07-mini_225px.py',
    '../_base_/schedules/schedule_cam-small_8e.py',
    '../_base_/default_runtime.py',
]
# In the hundred steps that two hundred photos are, AMM behind fewer layers and a weaker L_cps do better.
model = dict(
    spotlight=dict(head=dict(num_classes=20)),
    compensation=dict(head=dict(num_classes=20), modulation=dict(layers=r'layer6\.[12]\.conv\.2')),
    loss_cps=dict(loss_weight=0.05),
)
