# What the tables need to know of voc07-mini; see voc-animals.py.
data = 'voc07-mini'
where = 'voc07-mini, MobileNetV2'
splits = dict(train='ImageSets/Segmentation/train.txt', val='ImageSets/Segmentation/val.txt')
choose_on = 'train'

plain = '../amr/cam_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'
amr = '../amr/amr_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'
channels = 320
first_layer = r'layer6\.1'
figure = {
    'model.compensation.modulation.layers': 'layer[235]',
    'model.shared_layers': ('conv1', 'layer1', 'layer2.[0-9]'),
}
climb_photos = 100
