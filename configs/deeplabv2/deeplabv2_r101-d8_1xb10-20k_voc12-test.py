# Predictions for VOC's evaluation server, whose masks are not public: tools/test.py … --out FOLDER, then
# tools/make_voc_submission.py.
_base_ = './deeplabv2_r101-d8_1xb10-20k_voc12aug-321x321.py'
test_dataloader = dict(
    dataset=dict(
        ann_file='ImageSets/Segmentation/test.txt',
        pipeline=[dict(type='LoadImageFromFile'), dict(type='PackSegInputs')],
    )
)
test_evaluator = dict(format_only=True)
