# What the tables need to know of voc-animals.
data = 'voc-animals'
where = 'voc-animals, MobileNetV2'
splits = dict(train='ImageSets/Segmentation/train.txt', val='ImageSets/Segmentation/val.txt')
choose_on = 'train'

plain = '../amr/cam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
amr = '../amr/amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
# the last feature map, for AMM after it; the first trained layer with AMMs, for a training that stops behind it
channels = 320
first_layer = 'layer5'
# Figure 2's places of AMM: after the stages of stride 4, 8 and 16, none after the last. What stands before the first is
# computed once for both branches.
figure = {
    'model.compensation.modulation.layers': 'layer[235]',
    'model.shared_layers': ('conv1', 'layer1', 'layer2.[0-9]'),
}
# adversarial climbing is measured on so many photos of each list, as a step costs a forward and a backward pass a class,
# scale and branch; None: on all
climb_photos = 100

pipeline = '../pipelines/amr_mobilenet-v2_all-refinements_deeplabv2_voc-animals.py'
# the same as far as IRNet, with CAMs that are spread over whole objects first
spread_pipeline = '../pipelines/amr_mobilenet-v2_irnet_deeplabv2_voc-animals.py'
supervised = '../pipelines/fully-supervised_mobilenet-v2_voc-animals.py'
# The plain classifier in the place of AMR; its CAMs are higher, and so is the best threshold before the CRF.
plain_options = {'stages.classifier.config': plain, 'stages.crf_label.options.test_cfg.threshold': 0.25}
