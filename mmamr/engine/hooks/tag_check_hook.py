import os.path as osp
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import BaseModel, is_model_wrapper
from mmengine.runner import Runner

from mmamr.evaluation import AveragePrecision
from mmamr.fileio import read_rgb
from mmamr.registry import DATASETS, HOOKS
from mmamr.utils import WARNINGS_FILE, atomic_write, evaluating
from mmamr.visualization import Row, draw_sheet, save_picture

SHEET = 'doubtful.png'


@HOOKS.register_module()
class TagCheckHook(Hook):
    """Say before a classifier is trained, and after it, what is suspicious in the image-level labels.

    Before: classes of few photos, and tags that all photos have, from which nothing can be learned. After: classes that
    the classifier does not tell from the others, by the average precision on the validation photos, and the training
    photos whose tags it contradicts most, which ``doubtful.png`` in the work folder shows. Each is a warning in the log
    and a line of ``warnings.txt`` in the work folder, which pipelines print. Nothing is changed.

    Args:
        few (int): Classes with fewer training photos are named. Defaults to 20.
        num (int): How many doubtful photos are shown at most. Defaults to 10.
        margin (float): A class is not told apart if its average precision is less than so much of the way from chance,
            the share of its photos, to 1. Defaults to 0.2.
        batch_size (int): Of the check after the training. Defaults to 16.
    """

    priority = 'LOWEST'

    def __init__(self, few: int = 20, num: int = 10, margin: float = 0.2, batch_size: int = 16) -> None:
        if few < 0 or num < 1 or not 0 <= margin <= 1 or batch_size < 1:
            raise ValueError(
                'few must be 0 or more, num and batch_size 1 or more and margin in [0, 1], but got '
                f'{few}, {num}, {batch_size} and {margin}'
            )
        self.few = few
        self.num = num
        self.margin = margin
        self.batch_size = batch_size
        self.lines: list[str] = []

    @master_only
    def before_train(self, runner: Runner) -> None:
        """Count the photos of each class."""
        dataset = runner.train_dataloader.dataset
        tags = tag_matrix([dataset.get_data_info(index)['gt_label'] for index in range(len(dataset))], dataset)
        self.lines = []
        self._tell(runner, count_warnings(tags, dataset.metainfo['classes'], self.few))

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Ask the classifier about the photos; not without ``val_dataloader``, whose pipeline is taken."""
        val = (runner.cfg.get('val_dataloader') or {}).get('dataset')
        if val is None:
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        lines = []
        dataset = DATASETS.build(val)
        if len(dataset):
            scores, tags, _ = self.predict(model, dataset)
            lines += apart_warnings(scores, tags, dataset.metainfo['classes'], self.margin)
        train = {**runner.cfg.train_dataloader.dataset, 'pipeline': val['pipeline'], 'test_mode': True}
        dataset = DATASETS.build(train)
        scores, tags, items = self.predict(model, dataset)
        found = doubtful(scores, tags, self.num)
        if found:
            path = osp.join(runner.work_dir, SHEET)
            names = dataset.metainfo['classes']
            save_picture(path, doubt_sheet(found, items, scores, tags, names))
            worst, label = found[0]
            lines.append(
                f'{len(found)} photos have tags that the classifier contradicts, see {path}; first '
                f'{items[worst]["img_id"]}: {doubt(names[label], bool(tags[worst, label]), scores[worst, label])}'
            )
        self._tell(runner, lines)

    def predict(self, model: BaseModel, dataset: BaseDataset) -> tuple[np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Probabilities ``(N, K)``, tags ``(N, K)`` and items of all photos of a data set."""
        scores, items = [], [dataset.get_data_info(index) for index in range(len(dataset))]
        with evaluating(model), torch.no_grad():
            for first in range(0, len(dataset), self.batch_size):
                batch = [dataset[index] for index in range(first, min(first + self.batch_size, len(dataset)))]
                scores += [sample.pred_score.cpu().numpy() for sample in model.val_step(pseudo_collate(batch))]
        return np.stack(scores), tag_matrix([item['gt_label'] for item in items], dataset), items

    def _tell(self, runner: Runner, lines: Sequence[str]) -> None:
        for line in lines:
            runner.logger.warning(line)
        self.lines += lines
        # empty where nothing is to be said: no warning of an earlier run stays
        with atomic_write(osp.join(runner.work_dir, WARNINGS_FILE), 'w', encoding='utf-8') as file:
            file.write(''.join(f'{line}\n' for line in self.lines))


def tag_matrix(labels: Sequence[Sequence[int]], dataset: BaseDataset) -> np.ndarray:
    """Tags of images as booleans ``(N, K)``."""
    tags = np.zeros((len(labels), len(dataset.metainfo['classes'])), dtype=bool)
    for row, own in zip(tags, labels):
        row[np.asarray(own, dtype=int)] = True
    return tags


def count_warnings(tags: np.ndarray, names: Sequence[str], few: int) -> list[str]:
    """What the numbers of photos say against a training.

    Args:
        tags (np.ndarray): Tags ``(N, K)`` of the training photos.
        names (Sequence[str]): The classes.
        few (int): Classes with fewer photos are named.

    Returns:
        list[str]: One line each.
    """
    counts = tags.sum(0)
    scarce = [f'{name} ({count})' for name, count in zip(names, counts) if count < few]
    lines = []
    if scarce:
        lines.append(f'fewer than {few} training photos of {", ".join(scarce)}: add some, or expect poor masks of them')
    lines += [
        f'all {len(tags)} training photos are tagged {name}, so nothing tells where it is: add photos without it'
        for name, count in zip(names, counts)
        if count == len(tags) > 0
    ]
    return lines


def apart_warnings(scores: np.ndarray, tags: np.ndarray, names: Sequence[str], margin: float) -> list[str]:
    """Classes whose average precision is near chance.

    Args:
        scores (np.ndarray): Probabilities ``(N, K)``.
        tags (np.ndarray): Tags ``(N, K)`` of the same photos.
        names (Sequence[str]): The classes.
        margin (float): See :class:`TagCheckHook`.

    Returns:
        list[str]: One line each; none of a class without a photo, or of one that all photos have.
    """
    lines = []
    for index, name in enumerate(names):
        chance = float(tags[:, index].mean())
        if not 0 < chance < 1:
            continue
        precision = float(AveragePrecision.calculate(scores[:, [index]], tags[:, [index]].astype(int))) / 100
        if precision - chance < margin * (1 - chance):
            lines.append(
                f'nothing tells {name} from the others: average precision {100 * precision:.0f} %, by chance '
                f'{100 * chance:.0f} %; look at its tags, or add photos'
            )
    return lines


def doubtful(scores: np.ndarray, tags: np.ndarray, num: int) -> list[tuple[int, int]]:
    """The photos whose tags a classifier contradicts, each with the class that it contradicts most.

    Args:
        scores (np.ndarray): Probabilities ``(N, K)``.
        tags (np.ndarray): Tags ``(N, K)``.
        num (int): How many at most.

    Returns:
        list[tuple[int, int]]: Indices of photo and class, the most doubtful first; only where the probability is on the
        other side of one half.
    """
    doubts = np.where(tags, 1 - scores, scores)
    labels = doubts.argmax(1)
    worst = doubts[np.arange(len(doubts)), labels]
    order = np.argsort(-worst, kind='stable')[:num]
    return [(int(index), int(labels[index])) for index in order if worst[index] > 0.5]


def doubt(name: str, tagged: bool, score: float) -> str:
    """One doubt in words."""
    return f'tagged {name}, but scores {score:.2f}' if tagged else f'not tagged {name}, but scores {score:.2f}'


def doubt_sheet(
    found: Sequence[tuple[int, int]],
    items: Sequence[dict[str, Any]],
    scores: np.ndarray,
    tags: np.ndarray,
    names: Sequence[str],
    columns: int = 5,
) -> np.ndarray:
    """The doubtful photos with what is doubted, RGB uint8 ``(H, W, 3)``."""
    rows = []
    for first in range(0, len(found), columns):
        panels = {}
        for number, (index, label) in enumerate(found[first : first + columns], first + 1):
            caption = f'{number}. {doubt(names[label], bool(tags[index, label]), scores[index, label])}'
            panels[caption] = read_rgb(items[index]['img_path'])
        ids = ', '.join(items[index]['img_id'] for index, _ in found[first : first + columns])
        rows.append(Row(panels, ids))
    return draw_sheet(rows)
