"""Everything that is wrong with a data set, and what is suspicious about it, at once."""

import os.path as osp
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config
from prettytable import PrettyTable

from mmamr.fileio import read_image, read_mask, read_orientation
from mmamr.fileio.images import open_mask
from mmamr.registry import DATASETS
from mmamr.structures import ClassIndex
from mmamr.utils import DatasetError, share_work, track_slow

from .affinity_label_dataset import AffinityLabelDataset
from .embedded.dataset import EmbeddedMixin
from .embedded.folder import embedded_root
from .image_label_dataset import ImageLabelDataset, no_labels
from .segmentation_dataset import SegmentationDataset
from .splits import check_duplicate, iter_lines, parse_line

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
FEW_PHOTOS = 20
"""A class with fewer photos to train with is named."""


class UnlabelledDataset(ImageLabelDataset):
    """The photos and masks of a list whose image-level labels nobody reads, such as that of a segmentation model."""


class Seen(NamedTuple):
    """What was seen of one image."""

    img_id: str
    labels: list[int] | None = None
    """None: unknown."""
    exists: bool = True
    """Whether there is a photo or a mask of it."""
    orientation: int = 1
    """Of its EXIF data."""
    mask_classes: frozenset[int] | None = None
    """Classes in its mask, counted from 0; None: no mask, or a broken one."""
    black_and_white: bool = False
    """Whether its mask has the values 0 and 255 alone."""
    colours: Mapping[int, tuple[int, int, int]] = {}
    """Of the values in an indexed mask."""


class Problems:
    """Problems in the order of a list: the first of each kind, and how many there are.

    Args:
        keep (int, optional): Of one kind at most; a million missing photos would take gigabytes. None keeps all.
    """

    def __init__(self, keep: int | None) -> None:
        self.keep = keep
        self.kept: list[DatasetError] = []
        self.counts: Counter[str] = Counter()
        self._of_kind: Counter[str] = Counter()

    def add(self, problem: DatasetError) -> None:
        """Add a problem."""
        self.counts[problem.kind] += 1
        self._keep(problem)

    def join(self, other: 'Problems') -> None:
        """Add those of the images that follow."""
        self.counts.update(other.counts)
        for problem in other.kept:
            self._keep(problem)

    def _keep(self, problem: DatasetError) -> None:
        if self.keep is None or self._of_kind[problem.kind] < self.keep:
            self._of_kind[problem.kind] += 1
            # they would keep every frame that they passed
            problem.__traceback__ = problem.__context__ = None
            self.kept.append(problem)


@dataclass
class DatasetReport:
    """What :func:`check_dataset` found.

    Args:
        split (str): The list of images.
        num_images (int): Different images in it.
        class_counts (dict[str, int]): Images of each class.
        problems (list[DatasetError]): What is wrong, in the order of the list; the first of each kind.
        warnings (list[DatasetError]): What is suspicious, but may be meant so.
        counts (Counter[str]): How many problems of each kind there are. Defaults to those of ``problems``.
    """

    split: str
    num_images: int = 0
    class_counts: dict[str, int] = field(default_factory=dict)
    problems: list[DatasetError] = field(default_factory=list)
    warnings: list[DatasetError] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.counts = self.counts or Counter(problem.kind for problem in self.problems)

    @property
    def num_problems(self) -> int:
        """How many problems there are."""
        return sum(self.counts.values())

    def text(self, limit: int = 20) -> str:
        """The report to print: sizes, a table of the problems by kind, then their lines, and what is suspicious.

        Args:
            limit (int): Lines of one kind at most, 0 for all of ``problems``. Defaults to 20.
        """
        parts = [f'{self.split}: {self.num_images} images']
        if self.class_counts:
            seen = sum(count > 0 for count in self.class_counts.values())
            pairs = f'{sum(self.class_counts.values())} pairs of image and class'
            parts = [f'{parts[0]}, {seen} of {len(self.class_counts)} classes, {pairs}']
            parts.append(', '.join(f'{name} {count}' for name, count in self.class_counts.items()))
        kinds = self.counts
        if kinds:
            table = PrettyTable(['problem', 'how often'], align='l')
            table.add_rows([list(row) for row in kinds.most_common()])
            parts.append(str(table))
        for kind in kinds:
            lines = [str(problem) for problem in self.problems if problem.kind == kind]
            shown = lines[:limit] if limit else lines
            parts += [f'[{kind}] {line}' for line in shown]
            if len(shown) < kinds[kind]:
                parts.append(f'[{kind}] ... and {kinds[kind] - len(shown)} more')
        if not kinds:
            parts.append('no problems')
        parts += [f'[suspicious: {warning.kind}] {warning}' for warning in self.warnings]
        return '\n'.join(parts)


def check_dataset(
    dataset: ImageLabelDataset, num_procs: int = 1, trains: bool = True, keep: int | None = 1000
) -> DatasetReport:
    """Read every line of the list, and for each image its pixels, labels and mask.

    Args:
        dataset (ImageLabelDataset): The data set, made with ``lazy_init=True`` so that it did not stop at the first
            problem.
        num_procs (int): Processes. Defaults to 1.
        trains (bool): Whether somebody learns from the list, so that it needs some photos of each class. Defaults to
            True.
        keep (int, optional): Problems of one kind that the report has at most; the others are counted only. None keeps
            all. Defaults to 1000.

    Returns:
        DatasetReport: The problems, and what is suspicious.
    """
    has_source = not isinstance(dataset, UnlabelledDataset)
    counted = dataset.class_index.classes if has_source else ()
    report = DatasetReport(dataset.ann_file, class_counts={name: 0 for name in counted})
    problems = Problems(keep)
    ids: dict[str, int] = {}
    try:
        for where, line in track_slow(iter_lines(dataset.ann_file), f'lines of {osp.basename(dataset.ann_file)}'):
            try:
                img_id = parse_line(line, where, dataset.has_image)
                if img_id is not None:
                    check_duplicate(img_id, where, ids)
            except DatasetError as error:
                problems.add(error)
    except DatasetError as error:
        problems.add(error)
    report.num_images = len(ids)

    try:
        label_source = dataset.label_source.path if has_source else ''
    except DatasetError as error:
        has_source = False
        problems.add(error)

    def work(part: Sequence[str], advance: Callable[[], None]) -> tuple[list[Seen], Problems, bool]:
        found, wrong, all_known = [], Problems(keep), True
        for img_id in part:
            one = _check_image(dataset, img_id, has_source, wrong)
            all_known &= one.labels is not None
            if one.exists or one.labels is not None:
                found.append(one)
            advance()
        return found, wrong, all_known

    parts = share_work(work, list(ids), num_procs if num_procs > 1 else 0, osp.basename(dataset.ann_file))
    seen = [one for part, _, _ in parts for one in part]
    for _, wrong, _ in parts:
        problems.join(wrong)
    for one in seen:
        for label in one.labels or ():
            report.class_counts[dataset.class_index.classes[label]] += 1
    all_known = all(known for _, _, known in parts)
    if seen and has_source and all_known and not any(one.labels for one in seen):
        problems.add(no_labels(label_source, dataset.ann_file))
    report.problems, report.counts = problems.kept, problems.counts
    report.warnings = find_suspicious(seen, dataset, trains and has_source)
    return report


def _check_image(dataset: ImageLabelDataset, img_id: str, has_source: bool, problems: Problems) -> Seen:
    """What is seen of one image; what is wrong with it is added to ``problems``."""
    kinds: set[str] = set()

    def attempt(step: Callable, *args: Any) -> Any:
        try:
            return step(*args)
        except DatasetError as error:
            # Masks that give the labels too would be reported twice.
            if error.kind not in kinds:
                kinds.add(error.kind)
                problems.add(error)
            return None

    img_path = attempt(dataset.find_image, img_id)
    image = attempt(read_image, img_path) if img_path else None
    orientation = read_orientation(img_path) if image is not None else 1
    labels = attempt(dataset.label_source, img_id) if has_source else None
    mask_path = attempt(dataset.find_mask, img_id)
    mask = None
    if mask_path:
        size = None if image is None else image.shape[:2]
        # the photo only helps where it can be read
        photo = None if image is None else img_path
        mask = attempt(read_mask, mask_path, dataset.class_index, size, photo, dataset.rotate_masks)
    exists = img_path is not None
    if mask is None or mask_path is None:
        return Seen(img_id, labels, exists, orientation)
    stored, palette, _ = open_mask(mask_path)
    values = np.unique(stored).tolist() if stored.ndim == 2 else []
    ignored = (ClassIndex.BACKGROUND, ClassIndex.IGNORE)
    return Seen(
        img_id,
        labels,
        True,
        orientation,
        frozenset(value - 1 for value in np.unique(mask).tolist() if value not in ignored),
        values == [0, 255] and 255 in dataset.class_index.ignore_values,
        {} if palette is None else {value: tuple(palette[value].tolist()) for value in values if value < len(palette)},
    )


def find_suspicious(seen: Sequence[Seen], dataset: ImageLabelDataset, trains: bool) -> list[DatasetError]:
    """What may be wrong with a data set, though each image of it is fine, one line for each sort.

    Args:
        seen (Sequence[Seen]): Its images.
        dataset (ImageLabelDataset): The data set.
        trains (bool): Whether a classifier learns from it.
    """
    classes, found = dataset.class_index.classes, []

    def warn(kind: str, line: str) -> None:
        found.append(DatasetError(f'{dataset.ann_file}: {line}', kind=kind))

    masked = [one for one in seen if one.mask_classes is not None]
    tagged = {label for one in masked for label in one.labels or ()}
    drawn = {label for one in masked for label in one.mask_classes or ()}
    absent = [classes[label] for label in sorted(tagged - drawn)]
    if absent:
        warn('class in no mask', f'{_some(absent)} in the labels, but in none of {len(masked)} masks; see mask_values')
    black = sum(one.black_and_white for one in masked)
    if black and black == len(masked):
        line = f'all {black} masks have the values 0 and 255 alone, and 255 does not count'
        warn('masks of 0 and 255', f'{line}; if 255 is a class, set mask_values=255 in metainfo')
    turned = [one.img_id for one in seen if one.orientation > 1]
    if turned:
        drawn_how = 'stored' if dataset.rotate_masks else 'people see them'
        line = f'{len(turned)} photos have an EXIF orientation, which is applied, e.g. {turned[0]}'
        warn('oriented photos', f'{line}; masks must fit the photos as {drawn_how} (rotate_masks)' if masked else line)
    found += _palettes_that_differ(masked, dataset.ann_file)
    names = defaultdict(list)
    for one in seen:
        names[unicodedata.normalize('NFC', one.img_id).casefold()].append(one.img_id)
    alike = [' and '.join(map(repr, same)) for same in names.values() if len(same) > 1]
    if alike:
        warn('names alike', f'{_some(alike)} differ in case or in how an accent is written; are they one photo?')
    if not trains:
        return found
    known = [tuple(one.labels) for one in seen if one.labels is not None]
    if len(known) > 1 and len(set(known)) == 1 and known[0]:
        shown = ', '.join(classes[label] for label in known[0])
        warn('one label', f'all {len(known)} images have the same labels ({shown}), which tells nothing apart')
    counts = Counter(label for labels in known for label in labels)
    few = [f'{name} {counts[label]}' for label, name in enumerate(classes) if counts[label] < FEW_PHOTOS]
    if few and known:
        warn('few photos', f'fewer than {FEW_PHOTOS} photos of a class: {_some(few)}')
    return found


def _palettes_that_differ(masked: Sequence[Seen], where: str) -> list[DatasetError]:
    """A line where one value has several colours in indexed masks."""
    colours: dict[int, dict[tuple, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in masked:
        for value, color in one.colours.items():
            colours[value][color].append(one.img_id)
    for value, ids in sorted(colours.items()):
        if len(ids) > 1:
            (usual, many), *_, (other, few) = sorted(ids.items(), key=lambda pair: -len(pair[1]))
            line = f'value {value} is {usual} in {len(many)} masks, but {other} in {len(few)}, e.g. {few[0]}'
            return [DatasetError(f'{where}: {line}; is it the same class?', kind='palettes that differ')]
    return []


def _some(texts: Sequence[str], limit: int = 10) -> str:
    """Texts in one line, the first ones of many."""
    more = f' and {len(texts) - limit} more' if len(texts) > limit else ''
    return ', '.join(texts[:limit]) + more


def datasets_of_config(cfg: Config) -> dict[str, ImageLabelDataset]:
    """The data sets of ours in a config, each once, under the names of the loaders that use them.

    Args:
        cfg (Config): A config with ``train_dataloader``, ``val_dataloader`` or ``test_dataloader``.

    Returns:
        dict[str, ImageLabelDataset]: Not initialised, without pipelines. Data sets of other types are left out.
    """
    return datasets_of_configs({'': cfg})


def datasets_of_configs(configs: Mapping[str, Config]) -> dict[str, ImageLabelDataset]:
    """The data sets of ours in several configs, such as the stages of a pipeline, each list once.

    Args:
        configs (Mapping[str, Config]): By name, which the names of their loaders follow.

    Returns:
        dict[str, ImageLabelDataset]: Not initialised, without pipelines. Lists of segmentation models and of affinity
        labels are :class:`UnlabelledDataset`. Labels of a stage that has not run (``'{walk.out_dir}'``) are left out.
    """
    found: dict[str, dict] = {}
    for config, cfg in configs.items():
        for loader in LOADERS:
            for settings in _leaves((cfg.get(loader) or {}).get('dataset')):
                with DATASETS.switch_scope_and_registry(cfg.get('default_scope')) as registry:
                    cls = registry.get(settings['type'])
                what = _images_of(settings, cls)
                if what is not None:
                    _join(found, f'{config}.{loader}' if config else loader, what)
    return {
        name: (ImageLabelDataset if 'labels' in what else UnlabelledDataset)(**what, lazy_init=True)
        for name, what in found.items()
    }


def _leaves(dataset: Mapping | None) -> list[Mapping]:
    """The config of a data set, or those of the data sets that it wraps."""
    if dataset is None:
        return []
    inner = [dataset['dataset']] if 'dataset' in dataset else dataset.get('datasets')
    return [dataset] if inner is None else [leaf for one in inner for leaf in _leaves(one)]


def _images_of(settings: Mapping[str, Any], cls: Any) -> dict[str, Any] | None:
    """Arguments of an :class:`ImageLabelDataset` for the files of a data set; None of a data set that is not ours.

    There are ``labels`` if the data set reads some.
    """
    if not (isinstance(cls, type) and issubclass(cls, (ImageLabelDataset, SegmentationDataset))):
        return None
    left = ('type', 'pipeline', 'test_mode', 'indices', 'max_long_side', 'lazy_init', 'serialize_data', 'max_refetch')
    what = {key: value for key, value in settings.items() if key not in left}
    if issubclass(cls, EmbeddedMixin):
        drawing = {key: what.pop(key) for key in ('num_train', 'num_val', 'seed') if key in what}
        what['data_root'] = embedded_root(what.get('data_root'), **drawing)
        what.setdefault('metainfo', dict(classes=cls.OWN_CLASSES))
    what.setdefault('split', 'ImageSets/Segmentation/train.txt')
    label_dir = what.pop('label_dir', None)
    if issubclass(cls, SegmentationDataset):
        prefix = what.pop('data_prefix', None) or {}
        what['img_dir'] = prefix.get('img_path', what.get('img_dir', 'JPEGImages'))
        what['mask_dir'] = prefix.get('seg_map_path', what.get('mask_dir', 'SegmentationClass'))
        if 'ann_file' in what:
            what['split'] = what.pop('ann_file')
        for key in ('reduce_zero_label', 'ignore_index', 'seg_map_suffix', 'backend_args'):
            what.pop(key, None)
    elif not issubclass(cls, AffinityLabelDataset):
        what.setdefault('labels', None)
    if label_dir is not None:
        what['mask_dir'] = None if '{' in label_dir else osp.abspath(label_dir)
        what.pop('rotate_masks', None)
    what.setdefault('img_dir', 'JPEGImages')
    if what.get('mask_dir') is None:
        for key in ('mask_dir', 'partial_masks', 'rotate_masks'):
            what.pop(key, None)
    return what


def _join(found: dict[str, dict], name: str, what: dict[str, Any]) -> None:
    """Add a list to those that were found, or to one with the same photos: one pass checks labels and masks of both."""
    parts = ('labels', 'mask_dir', 'partial_masks', 'rotate_masks')
    images = {key: value for key, value in what.items() if key not in parts}
    for other, known in found.items():
        agree = all(known[key] == what[key] for key in parts if key in known and key in what)
        if agree and {key: value for key, value in known.items() if key not in parts} == images:
            joined = {f'{other}, {name}' if key == other else key: value for key, value in found.items()}
            joined[f'{other}, {name}'] = {**known, **what}
            found.clear()
            found.update(joined)
            return
    found[name] = what
