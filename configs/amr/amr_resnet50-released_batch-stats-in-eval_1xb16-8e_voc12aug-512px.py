_base_ = './amr_resnet50-released_1xb16-8e_voc12aug-512px.py'
# Row T9: eval() never reaches the released AMMs, so their BatchNorm has the statistics of an image and its mirror.
model = dict(compensation=dict(modulation=dict(amm=dict(spatial=dict(batch_stats_in_eval=True)))))
