"""Everything that is wrong with a data set, at once."""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mmengine.config import Config
from mmengine.utils import track_parallel_progress, track_progress
from prettytable import PrettyTable

from mmamr.fileio import read_image, read_mask
from mmamr.registry import DATASETS
from mmamr.utils import DatasetError

from .image_label_dataset import ImageLabelDataset, no_labels
from .splits import check_duplicate, iter_lines, parse_line

# The data set that a worker process checks, set once when it starts instead of sent with every image.
_dataset: ImageLabelDataset | None = None


@dataclass
class DatasetReport:
    """What :func:`check_dataset` found.

    Args:
        split (str): The list of images.
        num_images (int): Different images in it.
        class_counts (dict[str, int]): Images of each class.
        problems (list[DatasetError]): Everything that is wrong, in the order of the list.
    """

    split: str
    num_images: int = 0
    class_counts: dict[str, int] = field(default_factory=dict)
    problems: list[DatasetError] = field(default_factory=list)

    def text(self, limit: int = 20) -> str:
        """The report to print: sizes, a table of the problems by kind, then their lines.

        Args:
            limit (int): Lines of one kind at most, 0 for all. Defaults to 20.
        """
        seen = sum(count > 0 for count in self.class_counts.values())
        parts = [
            f'{self.split}: {self.num_images} images, {seen} of {len(self.class_counts)} classes, '
            f'{sum(self.class_counts.values())} pairs of image and class',
            ', '.join(f'{name} {count}' for name, count in self.class_counts.items()),
        ]
        kinds = Counter(problem.kind for problem in self.problems)
        if not kinds:
            return '\n'.join([*parts, 'no problems'])
        table = PrettyTable(['problem', 'how often'], align='l')
        table.add_rows([list(row) for row in kinds.most_common()])
        parts.append(str(table))
        for kind in kinds:
            lines = [str(problem) for problem in self.problems if problem.kind == kind]
            shown = lines[:limit] if limit else lines
            parts += [f'[{kind}] {line}' for line in shown]
            if len(shown) < len(lines):
                parts.append(f'[{kind}] ... and {len(lines) - len(shown)} more')
        return '\n'.join(parts)


def check_dataset(dataset: ImageLabelDataset, num_procs: int = 1) -> DatasetReport:
    """Read every line of the list, and for each image its pixels, labels and mask.

    Args:
        dataset (ImageLabelDataset): The data set, made with ``lazy_init=True`` so that it did not stop at the first
            problem.
        num_procs (int): Processes. Defaults to 1.

    Returns:
        DatasetReport: All problems.
    """
    report = DatasetReport(dataset.ann_file, class_counts={name: 0 for name in dataset.class_index.classes})
    ids: dict[str, str] = {}
    try:
        for where, line in iter_lines(dataset.ann_file):
            try:
                img_id = parse_line(line, where, dataset.has_image)
                if img_id is not None:
                    check_duplicate(img_id, where, ids)
            except DatasetError as error:
                report.problems.append(error)
    except DatasetError as error:
        report.problems.append(error)
    report.num_images = len(ids)

    has_source = True
    try:
        label_source = dataset.label_source.path
    except DatasetError as error:
        has_source = False
        report.problems.append(error)

    if ids:
        tasks = [(img_id, has_source) for img_id in ids]
        if num_procs > 1:
            found = track_parallel_progress(
                _check_image,
                tasks,
                num_procs,
                initializer=_start_worker,
                initargs=(dataset,),
                chunksize=8,
                file=sys.stderr,
            )
        else:
            _start_worker(dataset)
            found = track_progress(_check_image, tasks, file=sys.stderr)
        for labels, problems in found:
            report.problems += problems
            for label in labels or ():
                report.class_counts[dataset.class_index.classes[label]] += 1
        if has_source and all(labels == [] for labels, _ in found):
            report.problems.append(no_labels(label_source, dataset.ann_file))
    return report


def _start_worker(dataset: ImageLabelDataset) -> None:
    global _dataset
    _dataset = dataset


def _check_image(task: tuple[str, bool]) -> tuple[list[int] | None, list[DatasetError]]:
    """Labels (None: unknown) and problems of one image."""
    assert _dataset is not None
    img_id, has_source = task
    problems: list[DatasetError] = []

    def attempt(step: Callable, *args: Any) -> Any:
        try:
            return step(*args)
        except DatasetError as error:
            # Masks that give the labels too would be reported twice.
            if error.kind not in {problem.kind for problem in problems}:
                problems.append(error)
            return None

    img_path = attempt(_dataset.find_image, img_id)
    image = attempt(read_image, img_path) if img_path else None
    labels = attempt(_dataset.label_source, img_id) if has_source else None
    mask_path = attempt(_dataset.find_mask, img_id)
    if mask_path:
        attempt(read_mask, mask_path, _dataset.class_index, None if image is None else image.shape[:2])
    return labels, problems


def datasets_of_config(cfg: Config) -> dict[str, ImageLabelDataset]:
    """The data sets of ours in a config, each once, under the names of the loaders that use them.

    Args:
        cfg (Config): A config with ``train_dataloader``, ``val_dataloader`` or ``test_dataloader``.

    Returns:
        dict[str, ImageLabelDataset]: Not initialised, without pipelines. Data sets of other types are left out.
    """
    found: dict[str, dict] = {}
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        dataset = (cfg.get(loader) or {}).get('dataset')
        while dataset is not None and 'dataset' in dataset:  # RepeatDataset and its like
            dataset = dataset['dataset']
        if dataset is None:
            continue
        kind = DATASETS.get(dataset['type'])
        if not (isinstance(kind, type) and issubclass(kind, ImageLabelDataset)):
            continue
        what = {key: value for key, value in dataset.items() if key not in ('pipeline', 'test_mode', 'indices')}
        # Training and CAMs usually share their images; one pass then checks the masks too.
        name = next((name for name, other in found.items() if _without_masks(other) == _without_masks(what)), None)
        if name is not None and not (what.get('mask_dir') and found[name].get('mask_dir')):
            found[f'{name}, {loader}'] = {**found.pop(name), **what}
        elif name is None or what != found[name]:
            found[loader] = what
    return {name: DATASETS.build(dict(what, lazy_init=True)) for name, what in found.items()}


def _without_masks(what: dict) -> dict:
    return {key: value for key, value in what.items() if key not in ('mask_dir', 'partial_masks')}
