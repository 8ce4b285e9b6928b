# Predictions for VOC's evaluation server, whose masks are not public: tools/test.py … --out FOLDER, then
# tools/make_voc_submission.py.
_base_ = './deeplabv2_r101-d8_1xb10-20k_voc12aug-321x321.py'
test_dataloader = dict(
    dataset=dict(
        split='ImageSets/Segmentation/test.txt',
        mask_dir=None,
        pipeline=[dict(type='mmamr.LoadImage'), dict(type='PackSegInputs')],
    )
)
test_evaluator = dict(format_only=True)
