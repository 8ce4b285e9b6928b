"""Another folder of photographs under a stage, and the classes that it shows."""

import os.path as osp
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config

from mmamr.datasets import (
    AffinityLabelDataset,
    ImageLabelDataset,
    SegmentationDataset,
    class_index_of,
    folder_metainfo,
)
from mmamr.datasets.embedded import EmbeddedMixin
from mmamr.registry import DATASETS
from mmamr.structures import ClassIndex
from mmamr.utils import DatasetError, InputError

from .fingerprints import leaf_datasets
from .settings import leaves

PHOTO_OPTIONS = ('max_long_side', 'rotate_masks')
"""Options of a pipeline that are settings of all its data sets."""
DATALOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


class DataRoot:
    """A folder in VOC's layout in the place of that of the stages' configs.

    A data set whose classes are all that the folder's annotations name keeps them. Else it gets the classes of the
    folder, and so do the heads that the config names as counting them::

        class_heads = dict(foreground=['model.spotlight.head'])  # num_classes is K
        class_heads = dict(background=['model.decode_head'])  # num_classes is K + 1

    The embedded data set, which draws itself, becomes one that only reads.

    Args:
        path (str): The folder.
        metainfo (Mapping, optional): Its ``classes`` and what says how masks show them, see
            :class:`~mmamr.structures.ClassIndex`; without ``classes`` they are those of the annotations. Defaults to
            None: those of :func:`~mmamr.datasets.folder_metainfo`, or the config's where the folder has no annotations.
        labels (Mapping, optional): Label source of the image-level labels, e.g.
            ``dict(type='CSVLabels', file='labels.csv')``. Defaults to None: those of the config.

    Raises:
        InputError: If ``metainfo`` is none.
        DatasetError: If an annotation in the folder is broken.
    """

    def __init__(
        self, path: str, metainfo: Mapping[str, Any] | None = None, labels: Mapping[str, Any] | None = None
    ) -> None:
        self.path = path
        self.labels = labels
        self.named = metainfo is not None
        self.metainfo = _checked(metainfo, path) if metainfo is not None else folder_metainfo(path)

    def options(self) -> dict[str, Any]:
        """What the user set, for the manifest."""
        options = dict(data_root=self.path, metainfo=self.metainfo if self.named else None, labels=self.labels)
        return {name: value for name, value in options.items() if value is not None}

    def apply(self, cfg: Config) -> None:
        """Put it into the config of a stage.

        Raises:
            InputError: If the folder has other classes than a data set of the config that cannot have others.
        """
        with DATASETS.switch_scope_and_registry(cfg.get('default_scope')) as registry:
            changed = [self._change(dataset, registry.get(dataset['type'])) for dataset in _datasets(cfg)]
        if self.metainfo is not None and any(changed):
            set_class_heads(cfg, len(self.metainfo['classes']))

    def _change(self, dataset: dict, cls: type) -> bool:
        """Change the config of a data set; returns whether it has other classes now."""
        dataset['data_root'] = self.path
        if issubclass(cls, EmbeddedMixin):
            default = cls.OWN_CLASSES
        else:
            default = getattr(cls, 'METAINFO', {}).get('classes', ())
        classes = (dataset.get('metainfo') or {}).get('classes') or default
        if issubclass(cls, EmbeddedMixin):
            cls = cls.__bases__[-1]  # what it is beside the drawing
            dataset.setdefault('metainfo', dict(classes=classes))
            dataset['type'] = f'mmamr.{cls.__name__}'
        if self.labels is not None and issubclass(cls, ImageLabelDataset) and not issubclass(cls, AffinityLabelDataset):
            dataset['labels'] = dict(self.labels)
        if self.metainfo is None or (not self.named and set(self.metainfo['classes']) <= set(classes)):
            return False
        if not issubclass(cls, (ImageLabelDataset, SegmentationDataset)):
            raise InputError(
                f'{self.path} shows {", ".join(self.metainfo["classes"])}, but a {dataset["type"]} has '
                'classes of its own; put an mmamr.SegmentationDataset in the config'
            )
        dataset['metainfo'] = dict(self.metainfo)
        return True


def _checked(metainfo: Mapping[str, Any], data_root: str) -> dict[str, Any]:
    """Classes that a user named, and how masks show them."""
    unknown = sorted(set(metainfo) - set(ClassIndex.METAINFO_KEYS))
    if unknown:
        raise InputError(f'metainfo has {", ".join(unknown)}; it may have {", ".join(ClassIndex.METAINFO_KEYS)}')
    meta = dict(metainfo)
    if 'classes' not in meta:
        named = folder_metainfo(data_root)
        if named is None:
            raise InputError(f'metainfo has no classes, and no annotation in {data_root} names any: set classes')
        meta = {**named, **meta}
    try:
        index = class_index_of(meta, osp.expanduser(data_root))
    except DatasetError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f'metainfo: {error}') from None
    checked = index.metainfo()
    if 'palette' not in meta:
        del checked['palette']
    return checked


def _datasets(cfg: Config, dataloaders: Sequence[str] = DATALOADERS) -> Iterator[dict]:
    """The configs of all data sets, each once."""
    seen: list[dict] = []
    for name in dataloaders:
        for dataset in leaf_datasets(cfg[name].dataset) if cfg.get(name) else ():
            if not any(dataset is other for other in seen):
                seen.append(dataset)
                yield dataset


def set_photo_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Let the data sets of a config read photos and masks as a pipeline says.

    Args:
        cfg (Config): Config of a stage.
        options (Mapping): Some of :data:`PHOTO_OPTIONS`.
    """
    with DATASETS.switch_scope_and_registry(cfg.get('default_scope')) as registry:
        for dataset in _datasets(cfg):
            cls = registry.get(dataset['type'])
            drawn = not issubclass(cls, AffinityLabelDataset)  # labels of ours fit what people see
            if issubclass(cls, (ImageLabelDataset, SegmentationDataset)):
                dataset.update({key: value for key, value in options.items() if drawn or key != 'rotate_masks'})


def set_class_heads(cfg: Config, num_classes: int) -> None:
    """Let the heads that a config names in ``class_heads`` count the classes of a data set.

    Args:
        cfg (Config): The config; ``num_classes`` of these heads is set.
        num_classes (int): K, the number of foreground classes.

    Raises:
        InputError: If a head is not there, or the model counts classes but no head is named.
    """
    heads = cfg.get('class_heads') or {}
    unknown = sorted(set(heads) - {'foreground', 'background'})
    if unknown:
        raise InputError(f'class_heads has {unknown[0]}; it may have foreground and background')
    for kind, count in (('foreground', num_classes), ('background', num_classes + 1)):
        for path in heads.get(kind, ()):
            head = cfg._cfg_dict
            for part in path.split('.'):
                head = head.get(part) if isinstance(head, Mapping) else None
            if head is None:
                raise InputError(f'class_heads names {path}, which the config does not have')
            head['num_classes'] = count
    if not any(heads.values()) and any(key.endswith('num_classes') for key, _ in leaves(cfg.get('model') or {})):
        raise InputError(
            f'the data set has {num_classes} classes, but the config does not say which heads count them: name them, '
            "e.g. class_heads=dict(foreground=['model.spotlight.head']), or background=['model.decode_head'] for heads "
            'that count the background, too'
        )


def leave_out_masks(cfg: Config) -> str | None:
    """Let the data sets that are measured do without masks where there is no folder of them.

    Apart from :meth:`DataRoot.apply`, since it depends on the disk: masks that come later change no settings.

    Args:
        cfg (Config): Config of a stage.

    Returns:
        str: A folder of masks that is not there; None if nothing is left out.

    Raises:
        InputError: If there are no masks for a data set that needs them.
    """
    left_out = None
    with DATASETS.switch_scope_and_registry(cfg.get('default_scope')) as registry:
        for dataset in _datasets(cfg, ('val_dataloader', 'test_dataloader')):
            cls = registry.get(dataset['type'])
            if issubclass(cls, EmbeddedMixin):
                continue
            place, key = dataset, 'mask_dir'
            name = dataset.get('mask_dir', 'SegmentationClass' if issubclass(cls, SegmentationDataset) else None)
            if dataset.get('data_prefix'):
                place, key = dataset['data_prefix'], 'seg_map_path'
                name = place.get(key)
            folder = osp.join(osp.expanduser(dataset.get('data_root') or ''), name or '')
            if not name or osp.isdir(folder):
                continue
            if not issubclass(cls, (ImageLabelDataset, SegmentationDataset)):
                raise InputError(
                    f'{folder}: no such folder, but a {dataset["type"]} is measured against its masks; put an '
                    'mmamr.SegmentationDataset in the config'
                )
            place[key] = None
            left_out = folder
    return left_out
