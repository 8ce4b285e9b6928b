"""Another folder of photographs under a stage, and the classes that it shows."""

import os.path as osp
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config

from mmamr.datasets import AffinityLabelDataset, ClassIndex, ImageLabelDataset, SegmentationDataset, folder_metainfo
from mmamr.datasets.embedded import EmbeddedMixin
from mmamr.registry import DATASETS
from mmamr.utils import InputError

from .fingerprints import leaf_datasets

DATALOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


class DataRoot:
    """A folder in VOC's layout in the place of that of the stages' configs.

    A data set whose classes are all that the folder's annotations name keeps them. Else it gets the classes of the
    folder, and what counts classes in the model follows: each ``num_classes`` that is K, or K + 1 with the background.
    The embedded data set, which draws itself, becomes one that only reads. Where the folder has no masks to measure
    with, nothing is measured.

    Args:
        path (str): The folder.
        metainfo (Mapping, optional): Its ``classes`` and, where they are not 1 to K, their ``mask_values``. Defaults to
            None: those of :func:`~mmamr.datasets.folder_metainfo`, or the config's where the folder has no annotations.
        labels (Mapping, optional): Label source of the image-level labels, e.g.
            ``dict(type='CSVLabels', file='labels.csv')``. Defaults to None: those of the config.

    Raises:
        InputError: If ``metainfo`` is none.
        DatasetError: If an annotation in the folder is broken.
    """

    def __init__(
        self, path: str, metainfo: Mapping[str, Sequence] | None = None, labels: Mapping[str, Any] | None = None
    ) -> None:
        self.path = path
        self.labels = labels
        self.named = metainfo is not None
        self.metainfo = _checked(metainfo) if metainfo is not None else folder_metainfo(path)

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
            counts = {self._change(dataset, registry.get(dataset['type'])) for dataset in _datasets(cfg)}
        for old in counts - {None}:
            _count_anew(cfg.get('model'), old, len(self.metainfo['classes']))

    def leave_out_masks(self, cfg: Config) -> str | None:
        """Let the data sets that are measured do without masks if the folder has none.

        Apart from :meth:`apply`, since it depends on the disk: masks that come later change no settings.

        Returns:
            str: The folder of masks that is not there; None if nothing is left out.

        Raises:
            InputError: If there are no masks for a data set that needs them.
        """
        left_out = None
        with DATASETS.switch_scope_and_registry(cfg.get('default_scope')) as registry:
            for dataset in _datasets(cfg, ('val_dataloader', 'test_dataloader')):
                for place, key in ((dataset, 'mask_dir'), (dataset.get('data_prefix') or {}, 'seg_map_path')):
                    folder = osp.join(self.path, place.get(key) or '')
                    if not place.get(key) or osp.isdir(folder):
                        continue
                    if not issubclass(registry.get(dataset['type']), (ImageLabelDataset, SegmentationDataset)):
                        raise InputError(
                            f'{folder}: no such folder, but a {dataset["type"]} is measured against its '
                            'masks; put an mmamr.SegmentationDataset in the config'
                        )
                    del place[key]
                    left_out = folder
        return left_out

    def _change(self, dataset: dict, cls: type) -> int | None:
        """Change the config of a data set; returns how many classes it had if it has others now."""
        dataset['data_root'] = self.path
        embedded = issubclass(cls, EmbeddedMixin)
        default = cls.OWN_CLASSES if embedded else getattr(cls, 'METAINFO', {}).get('classes', ())
        classes = (dataset.get('metainfo') or {}).get('classes') or default
        if embedded:
            cls = cls.__bases__[-1]  # what it is beside the drawing
            dataset.setdefault('metainfo', dict(classes=classes))
            dataset['type'] = f'mmamr.{cls.__name__}'
        if self.labels is not None and issubclass(cls, ImageLabelDataset) and not issubclass(cls, AffinityLabelDataset):
            dataset['labels'] = dict(self.labels)
        if self.metainfo is None or (not self.named and set(self.metainfo['classes']) <= set(classes)):
            return None
        if not issubclass(cls, (ImageLabelDataset, SegmentationDataset)):
            raise InputError(
                f'{self.path} shows {", ".join(self.metainfo["classes"])}, but a {dataset["type"]} has '
                'classes of its own; put an mmamr.SegmentationDataset in the config'
            )
        dataset['metainfo'] = dict(self.metainfo)
        return len(classes)


def _checked(metainfo: Mapping[str, Sequence]) -> dict[str, tuple]:
    """Classes and mask values that a user named."""
    unknown = sorted(set(metainfo) - {'classes', 'mask_values'})
    if unknown or 'classes' not in metainfo:
        raise InputError(f'metainfo has {", ".join(metainfo)}; it needs classes and may have mask_values')
    classes = metainfo['classes']
    try:
        index = ClassIndex([classes] if isinstance(classes, str) else classes, metainfo.get('mask_values'))
    except (TypeError, ValueError) as error:
        raise InputError(f'metainfo: {error}') from None
    return dict(classes=index.classes, mask_values=index.mask_values)


def _datasets(cfg: Config, dataloaders: Sequence[str] = DATALOADERS) -> Iterator[dict]:
    """The configs of all data sets, each once."""
    seen = []
    for name in dataloaders:
        for dataset in leaf_datasets(cfg[name].dataset) if cfg.get(name) else ():
            if not any(dataset is other for other in seen):
                seen.append(dataset)
                yield dataset


def _count_anew(node: Any, old: int, new: int) -> None:
    """Change every ``num_classes`` that counts ``old`` classes, or those and the background."""
    if isinstance(node, Mapping):
        if node.get('num_classes') in (old, old + 1):
            node['num_classes'] += new - old
        children = node.values()
    else:
        children = node if isinstance(node, (list, tuple)) else ()
    for child in children:
        _count_anew(child, old, new)
