"""Test-time options as switches of a config."""

import inspect
from collections.abc import Sequence

from mmengine.config import Config
from mmseg.datasets.transforms import PackSegInputs

from mmamr.refine import check_crf
from mmamr.utils import check_flag, check_keys, check_numbers

SWITCHES = ('ms', 'flip', 'crf')
PACKED_KEYS = inspect.signature(PackSegInputs).parameters['meta_keys'].default
"""What mmseg's ``PackSegInputs`` keeps of an image if nobody says so."""
LOADERS = ('LoadImage', 'InferencerLoader')
"""How the transforms that load a photo begin."""


def apply_test_time(cfg: Config) -> None:
    """Carry out what ``cfg.test_time`` asks for, before the runner is built.

    ::

        test_time = dict(
            ms=False,  # average over these scales of the photo
            scales=(0.5, 0.75, 1.0, 1.25, 1.5),
            flip=False,  # average over the photo and its mirror image
            crf=False,  # then a dense CRF, with these arguments of mmamr.refine.dense_crf
            crf_params=dict(...))

    Whatever is switched on is named in front of the metrics: ``ms_flip_crf/mIoU``. Works for any mmseg model; a config
    without ``test_time``, or with every switch off, is left as it is.

    Args:
        cfg (Config): Config of a segmentation model. ``model``, the pipeline of ``test_dataloader`` and the prefixes of
            ``test_evaluator`` are changed.
    """
    options = cfg.get('test_time') or {}
    names = [name for name in SWITCHES if options.get(name)]
    check_keys('test_time', options, ('ms', 'scales', 'flip', 'crf', 'crf_params'))
    for name in SWITCHES:
        check_flag(f'test_time.{name}', options.get(name, False))
    if not names:
        return
    if options.get('ms'):
        check_numbers('test_time.scales', options.get('scales'), above=0, high=16)
    if options.get('crf'):
        check_crf('test_time.crf_params', options.get('crf_params', {}))
    cfg.model = dict(
        type='mmamr.TestTimeSegmentor',
        module=cfg.model,
        crf=options.get('crf_params', {}) if options.get('crf') else None,
    )
    dataset = cfg.test_dataloader.dataset
    if options.get('crf'):
        dataset.pipeline = keep_photo(dataset.pipeline)
    dataset.pipeline = views_pipeline(
        dataset.pipeline, scales=options['scales'] if options.get('ms') else (1.0,), flip=bool(options.get('flip'))
    )
    evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, (list, tuple)) else [cfg.test_evaluator]
    for evaluator in evaluators:
        evaluator['prefix'] = '_'.join(([evaluator['prefix']] if evaluator.get('prefix') else []) + names)


def keep_photo(pipeline: Sequence[dict]) -> list[dict]:
    """A test pipeline whose data samples carry the photo as it was loaded."""
    kept = []
    for step in pipeline:
        name = step['type'].split('.')[-1]
        if name == 'PackSegInputs':
            step = {**step, 'meta_keys': (*step.get('meta_keys', PACKED_KEYS), 'photo')}
        kept.append(step)
        if name.startswith(LOADERS):
            kept.append(dict(type='mmamr.KeepPhoto'))
    return kept


def views_pipeline(pipeline: Sequence[dict], scales: Sequence[float], flip: bool) -> list[dict]:
    """A test pipeline that gives several views of each photo.

    Args:
        pipeline (Sequence[dict]): The pipeline for one view: loading, optionally ``Resize``, the rest.
        scales (Sequence[float]): Factors of the size that the photo would have had.
        flip (bool): Whether each scale is followed by its mirror image.

    Returns:
        list[dict]: The same with one ``TestTimeAug`` from ``Resize`` on.
    """
    names = [step['type'].split('.')[-1] for step in pipeline]
    if 'Resize' in names:
        at = names.index('Resize')
        resize, rest = pipeline[at], pipeline[at + 1 :]
    else:
        at = max(i for i, name in enumerate(names) if name.startswith((*LOADERS, 'KeepPhoto'))) + 1
        resize, rest = None, pipeline[at:]
    flips = [dict(type='mmseg.RandomFlip', prob=prob, direction='horizontal') for prob in (0.0, 1.0)[: 1 + flip]]
    views = [[_scaled(resize, scale) for scale in scales], flips, *([step] for step in rest)]
    return [*pipeline[:at], dict(type='TestTimeAug', transforms=views)]


def _scaled(resize: dict | None, scale: float) -> dict:
    """A ``Resize`` step to ``scale`` times the size that ``resize``, or none, gives."""
    if resize is None:
        return dict(type='mmseg.Resize', scale_factor=scale, keep_ratio=True)
    if 'scale' in resize:
        return {**resize, 'scale': tuple(round(side * scale) for side in resize['scale'])}
    return {**resize, 'scale_factor': resize['scale_factor'] * scale}
