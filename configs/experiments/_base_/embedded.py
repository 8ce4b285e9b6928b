# What the tables need to know of the embedded data set; see voc-animals.py.
data = 'embedded'
where = 'the embedded data set'
splits = dict(train='ImageSets/Segmentation/train.txt', val='ImageSets/Segmentation/val.txt')
choose_on = 'train'

plain = '../amr/cam_resnet18-w16_1xb8-12e_embedded-112px.py'
amr = '../amr/amr_resnet18-w16_1xb8-12e_embedded-112px.py'
channels = 128
first_layer = 'layer3'
# Figure 2's places of AMM: after the stages of stride 4, 8 and 16, none after the last
figure = {'model.compensation.modulation.layers': 'layer[1-3]'}
climb_photos = None

pipeline = '../pipelines/amr_resnet18-w16_all-refinements_deeplabv2_embedded.py'
plain_options = {'stages.classifier.config': plain}
