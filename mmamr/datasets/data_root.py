"""Another folder of photographs under a stage, and the classes that it shows."""

import os
import os.path as osp
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config

from mmamr.registry import DATASETS
from mmamr.structures import ClassIndex
from mmamr.utils import DatasetError, InputError, merge_options

from .affinity_label_dataset import AffinityLabelDataset
from .embedded import EmbeddedMixin
from .folder_classes import folder_metainfo, text_classes
from .image_label_dataset import ImageLabelDataset
from .mask_colors import class_index_of
from .photo_folder import DRAWN, LAYOUT, Layout, lay_out, read_layout
from .segmentation_dataset import SegmentationDataset
from .splits import list_cure

PHOTO_OPTIONS = ('max_long_side', 'rotate_masks')
"""Options of a pipeline that are settings of all its data sets."""
TRAIN_LIST = 'ImageSets/Segmentation/train.txt'
LABELS_FILE = 'labels.csv'
SOURCES = {'VOCXMLLabels': 'voc', 'MaskLabels': 'masks'}
"""Label sources that are a format of tags, too."""
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
            :class:`~mmamr.structures.ClassIndex`; without ``classes`` they are those of the folder. Defaults to
            None: those of :func:`~mmamr.datasets.folder_metainfo`, or the config's where the folder has no annotations.
        labels (Mapping, optional): Label source of the image-level labels, e.g.
            ``dict(type='CSVLabels', file='labels.csv')``. Defaults to None: ``labels.csv``, where it is there and no
            annotations are, else those of the config; annotations in the place of a table that is not there.
        layout (Layout, optional): How the folder was laid out, if it was, to be told. Defaults to None.

    Raises:
        InputError: If ``metainfo`` is none.
        DatasetError: If an annotation in the folder is broken.
    """

    def __init__(
        self,
        path: str,
        metainfo: Mapping[str, Sequence] | None = None,
        labels: Mapping[str, Any] | None = None,
        layout: Layout | None = None,
    ) -> None:
        self.path = osp.expanduser(path)
        self.labels = labels
        self.layout = layout
        if labels is None and has_label_table(self.path):
            self.labels = dict(type='CSVLabels', file=LABELS_FILE)
        self.has_annotations = osp.isdir(osp.join(self.path, 'Annotations'))
        known = read_layout(self.path)
        self.drawn_dir = osp.join(self.path, DRAWN) if known is not None and known[0].learns else None
        self.laid_out = osp.isfile(osp.join(self.path, LAYOUT))
        self.named = metainfo is not None or self.laid_out
        self.metainfo = _checked(metainfo, self.path) if metainfo is not None else folder_metainfo(self.path)

    def options(self) -> dict[str, Any]:
        """What the user set, for the manifest."""
        options = dict(
            data_root=self.path,
            metainfo=self.metainfo if self.named else None,
            labels=self.labels,
            masks=self.drawn_dir,
        )
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
        if self.drawn_dir is not None and makes_pseudo_labels(cfg):
            cfg.test_cfg.drawn_dir = self.drawn_dir

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
        if self.labels is not None and issubclass(cls, SegmentationDataset) and dataset.get('labels'):
            dataset['labels'] = dict(self.labels)
        table = (dataset.get('labels') or {}).get('file')
        if self.labels is None and table and self.has_annotations and not osp.isfile(osp.join(self.path, table)):
            dataset['labels'] = dict(type='VOCXMLLabels')
        if self.laid_out and issubclass(cls, ImageLabelDataset) and dataset.get('mask_dir'):
            dataset['partial_masks'] = True
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
    meta = text_classes(metainfo)
    if 'classes' not in meta:
        named = folder_metainfo(data_root)
        if named is None:
            raise InputError(f'metainfo has no classes, and no annotation in {data_root} names any: set classes')
        meta = {**named, **meta}
    try:
        index = class_index_of(meta, data_root)
    except DatasetError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f'metainfo: {error}') from None
    checked = index.metainfo()
    if 'palette' not in meta:
        del checked['palette']
    return checked


def has_label_table(folder: str) -> bool:
    """Whether a folder has ``labels.csv``, and no annotations that its labels would else come from."""
    return osp.isfile(osp.join(folder, LABELS_FILE)) and not osp.isdir(osp.join(folder, 'Annotations'))


def makes_pseudo_labels(cfg: Config) -> bool:
    """Whether the test of a config makes labels that those of a person may take the place of."""
    return str((cfg.get('test_cfg') or {}).get('type')).rpartition('.')[2] == 'PseudoLabelLoop'


def is_voc_layout(folder: str) -> bool:
    """Whether a folder has photos and lists where VOC has them."""
    return osp.isdir(osp.join(folder, 'JPEGImages')) and osp.isfile(osp.join(folder, TRAIN_LIST))


def open_data_root(
    path: str,
    work_dir: str,
    metainfo: Mapping[str, Sequence] | None = None,
    labels: Mapping[str, Any] | str | None = None,
    masks: str | None = None,
) -> DataRoot:
    """Any folder of photos in the place of that of the configs.

    One in VOC's layout is taken as it is, unless there are ``masks``. Any other is laid out into
    ``<work_dir>/photos`` first, by
    :func:`~mmamr.datasets.photo_folder.lay_out`, which is quick where it has been done before.

    Args:
        path (str): The folder; ``~`` is that of the user.
        work_dir (str): Work folder of the run.
        metainfo (Mapping, optional): See :class:`DataRoot`. Defaults to None: the classes that the tags name.
        labels (Mapping | str, optional): A label source; a file of tags, relative to where the program was started or
            to ``path``; or a format, one of :data:`~mmamr.datasets.photo_folder.KINDS`. Defaults to None: what is
            there.
        masks (str, optional): Masks that a person drew or corrected: PNGs, or outlines of COCO, LabelMe or CVAT; file
            or folder. Of photos to train with they become the pseudo labels, the others are measured
            against. Defaults to None.

    Raises:
        InputError: If there are no photos, or no tags of them.
    """
    path = osp.expanduser(str(path))
    source = _label_source(path, labels) if isinstance(labels, str) else labels
    if not osp.isdir(path) or (is_voc_layout(path) and not isinstance(source, str) and masks is None):
        if isinstance(source, str) or masks is not None:
            raise InputError(f'{path}: no such folder; name the folder of your photos')
        return DataRoot(path, metainfo, source)
    if isinstance(source, Mapping):
        source = source.get('file') or SOURCES.get(str(source.get('type')).rpartition('.')[2])
        if source is None:
            raise InputError('labels of a folder of photos need a file, or name a format: --labels csv')
    named = text_classes(metainfo or {})
    unknown = sorted(set(named) - {'classes', 'mask_values'})
    if unknown or ('mask_values' in named and 'classes' not in named):
        raise InputError(
            f'metainfo of a folder of photos has classes and perhaps mask_values, but got {", ".join(metainfo or ())}'
        )
    values = _checked(named, path)['mask_values'] if 'mask_values' in named else None
    layout = lay_out(
        path,
        osp.abspath(osp.join(work_dir, 'photos')),
        source,
        named.get('classes'),
        mask_values=values,
        exclude=[work_dir],
        masks=masks,
    )
    return DataRoot(layout.folder, layout=layout)


def _label_source(folder: str, labels: str) -> Mapping[str, Any] | str:
    """What is called ``labels``: the label source of a folder in VOC's layout, or a format or file to lay out by."""
    if not is_voc_layout(folder):
        return labels
    for name, kind in SOURCES.items():
        if labels == kind:
            return dict(type=name)
    if labels.lower().endswith(('.csv', '.tsv', '.npz')):
        kind = 'LabelTable' if labels.lower().endswith('.npz') else 'CSVLabels'
        return dict(type=kind, file=osp.abspath(labels) if osp.exists(labels) else labels)
    if labels == 'csv' and osp.isfile(osp.join(folder, LABELS_FILE)):
        return dict(type='CSVLabels', file=LABELS_FILE)
    return labels


def apply_options(cfg: Config, options: Mapping[str, Any], work_dir: str) -> DataRoot | None:
    """Put settings of the command line into the config of one stage.

    ``data_root``, with ``metainfo``, ``labels`` and ``masks``, is a folder for all its data sets, as for those of a
    pipeline: what a config file calls ``data_root`` is already in its data sets by then.

    Args:
        cfg (Config): The config.
        options (Mapping): Settings by dotted key.
        work_dir (str): Work folder of the run.

    Returns:
        DataRoot, optional: The folder; None if the options name none.

    Raises:
        InputError: If ``metainfo``, ``labels`` or ``masks`` are named without ``data_root``, or it does not fit.
    """
    of_data = {
        key: value
        for key, value in options.items()
        if key.partition('.')[0] in ('data_root', 'metainfo', 'labels', 'masks')
    }
    if not of_data or 'stages' in cfg:
        merge_options(cfg, options)
        return None
    merge_options(cfg, {key: value for key, value in options.items() if key not in of_data})
    named = Config()
    named.merge_from_dict(of_data)
    if named.get('data_root') is None:
        raise InputError(
            'metainfo, labels and masks are those of a data_root, but there is none; name it by --data-root'
        )
    labels = named.get('labels')
    work_dir = options.get('work_dir') or work_dir
    data_root = open_data_root(named.data_root, work_dir, named.get('metainfo'), labels, named.get('masks'))
    data_root.apply(cfg)
    if data_root.drawn_dir is not None:
        check_masks_are_read([cfg])
    leave_out_masks(cfg)
    return data_root


def check_masks_are_read(configs: Iterable[Config]) -> None:
    """Refuse masks to learn from where no config makes labels that they take the place of.

    Raises:
        InputError: If none does.
    """
    if not any(map(makes_pseudo_labels, configs)):
        raise InputError(
            '--masks: nothing here makes pseudo labels, whose place they would take; leave it out, or name a pipeline'
        )


def leaf_datasets(dataset: dict) -> Iterator[dict]:
    """The config of a data set, or those of the data sets that it wraps."""
    inner = [dataset['dataset']] if 'dataset' in dataset else dataset.get('datasets')
    if inner is None:
        yield dataset
    for one in inner or ():
        yield from leaf_datasets(one)


def missing_lists(cfg: Config, dataloaders: Sequence[str] = DATALOADERS) -> dict[str, str]:
    """The lists of images that are not there.

    Args:
        cfg (Config): Config of a stage.
        dataloaders (Sequence[str]): Which of its data loaders. Defaults to all.

    Returns:
        dict[str, str]: Path of each, and what to do about it.
    """
    missing: dict[str, str] = {}
    with DATASETS.switch_scope_and_registry(cfg.get('default_scope')) as registry:
        for dataset in _datasets(cfg, dataloaders):
            cls = registry.get(dataset['type'])
            default = TRAIN_LIST if issubclass(cls, ImageLabelDataset) else None
            name = dataset.get('split') or dataset.get('ann_file') or default
            if not name or issubclass(cls, EmbeddedMixin):
                continue
            path = osp.join(osp.expanduser(dataset.get('data_root') or ''), os.fspath(name))
            if not osp.isfile(path):
                missing[path] = list_cure(path)
    return missing


def _counts_classes(value: Any) -> bool:
    """Whether a setting named ``num_classes`` is somewhere in a model."""
    if isinstance(value, Mapping):
        return any(str(key).endswith('num_classes') or _counts_classes(one) for key, one in value.items())
    return isinstance(value, (list, tuple)) and any(map(_counts_classes, value))


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
    if not any(heads.values()) and _counts_classes(cfg.get('model') or {}):
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
