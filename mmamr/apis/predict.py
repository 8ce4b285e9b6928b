"""Photos in, files out: masks and pictures of them by a segmentation model, tags, CAMs and seeds by a classifier."""

import csv
import glob
import hashlib
import json
import os
import os.path as osp
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmseg.models.segmentors import BaseSegmentor
from PIL import Image

from mmamr.cams import mix, seed, upsample
from mmamr.engine import latest_checkpoint
from mmamr.fileio import read_rgb, read_size, read_stored_mask, state_digest
from mmamr.fileio.annotations import FORMATS, AnnotatedPhoto, write_annotations
from mmamr.models import BaseCAMClassifier
from mmamr.pipeline.manifest import Manifest
from mmamr.structures import MaskClasses
from mmamr.utils import DatasetError, InputError, atomic_write, track, write_png
from mmamr.visualization import Row, draw_labels, draw_sheet, label_row, save_picture

from .inference import init_model
from .inferencers import CAMInferencer, Inferencer, SegInferencer, choose_device
from .inputs import is_photo_name, photos_in, result_names

PHOTO, MADE, SCORES = 'mmamr:photo', 'mmamr:made', 'mmamr:scores'
"""Notes in a mask: hash of the photo, hash of the model and the options, scores of a classifier."""
SHEET = 24
"""Photos of the contact sheet at most."""


@dataclass
class PhotoFile:
    """A photo that is to be predicted.

    Args:
        name (str): Its path below the folder that was named, with ``/`` and its suffix.
        path (str): The file.
        stem (str): What its results are called. Defaults to ''.
        digest (str): SHA-256 of the file. Defaults to ''.
    """

    name: str
    path: str
    stem: str = ''
    digest: str = ''


@dataclass
class Predictions:
    """What a prediction did.

    Args:
        made (int): Photos that were predicted.
        kept (int): Photos whose results were there.
        failed (list[str]): A line for each photo that could not be read.
        files (list[str]): Files for all photos: contact sheet, annotations, tags.
        changed (list[str]): Files of annotation tools that somebody has changed, and that stay as they are.
    """

    made: int = 0
    kept: int = 0
    failed: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def find_photos(inputs: Sequence[str], out_dir: str) -> tuple[list[PhotoFile], list[str]]:
    """The photos that files, folders and patterns name.

    Args:
        inputs (Sequence[str]): Files; folders, with all below them; patterns such as ``photos/**/*.jpg``.
        out_dir (str): Folder of the results, which is not looked into.

    Returns:
        tuple[list[PhotoFile], list[str]]: The photos, each once, and a line for each input that names none.
    """
    found: dict[str, tuple[str, str]] = {}
    failed = []

    def add(path: str, root: str) -> None:
        name = osp.relpath(path, root).replace(osp.sep, '/')
        real = osp.realpath(path)
        # named twice: the longer name says more
        found[real] = max(found.get(real, ('', path)), (name, path), key=lambda one: (len(one[0]), one))

    for text in inputs:
        path = osp.expanduser(text)
        if osp.isdir(path):
            photos = photos_in(path, [out_dir])
            for photo in photos:
                add(photo, path)
            if not photos:
                failed.append(f'{text}: no photo in this folder; name another one')
        elif osp.exists(path):
            add(path, osp.dirname(path) or '.')
        elif glob.has_magic(path):
            root = _fixed_part(path)
            before = len(found)
            inside = osp.join(osp.realpath(out_dir), '')
            for match in sorted(glob.glob(path, recursive=True)):
                for photo in photos_in(match, [out_dir]) if osp.isdir(match) else [match]:
                    if is_photo_name(osp.basename(photo)) and not osp.realpath(photo).startswith(inside):
                        add(photo, root)
            if len(found) == before:
                failed.append(f'{text}: no photo has such a name; mend the pattern')
        else:
            failed.append(f'{text}: no such photo or folder; mend the path')
    photos_found = [PhotoFile(name, path) for name, path in found.values()]
    for one, stem in zip(photos_found, result_names([(one.name, one.path) for one in photos_found])):
        one.stem = stem
    return sorted(photos_found, key=lambda photo: photo.stem), failed


def _fixed_part(pattern: str) -> str:
    """The folder in front of the first part of a pattern that is not fixed."""
    folder = osp.dirname(pattern)
    while glob.has_magic(folder):
        folder = osp.dirname(folder)
    return folder or '.'


class Predictor:
    """Writes what a model makes of photos. The two kinds of models have one each.

    Args:
        inferencer (Inferencer): The model.
        out_dir (str): Where the files go.
    """

    folder: str
    """Where the masks go, below ``out_dir``."""
    pictures: str
    """Where the pictures go."""

    def __init__(self, inferencer: Inferencer, out_dir: str) -> None:
        self.inferencer: Any = inferencer
        self.classes: MaskClasses = inferencer.classes
        self.out_dir = out_dir

    def settings(self) -> dict[str, Any]:
        """What the results depend on besides the model and the photo."""
        raise NotImplementedError

    def digest(self) -> str:
        """A hash of the model, its classes and :meth:`settings`."""
        text = json.dumps(
            [state_digest(self.inferencer.model), self.classes.as_list(), self.settings()], sort_keys=True
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def mask_file(self, photo: PhotoFile) -> str:
        """The mask of a photo."""
        return osp.join(self.out_dir, self.folder, f'{photo.stem}.png')

    def picture_file(self, photo: PhotoFile) -> str:
        """The picture of a photo."""
        return osp.join(self.out_dir, self.pictures, f'{photo.stem}.jpg')

    def write_mask(self, photo: PhotoFile, label: np.ndarray, notes: dict[str, str]) -> None:
        """Write a mask with what it was made of."""
        write_png(self.mask_file(photo), self.classes.decode(label), self.classes.png_palette, notes)

    def write(self, photo: PhotoFile, image: np.ndarray, sample: Any, notes: dict[str, str]) -> None:
        """Write the files of one photo; the mask last, as it says that the photo is done."""
        raise NotImplementedError

    def repair(self, photo: PhotoFile) -> bool:
        """Make what can be made from the mask alone; whether all files of the photo are there then."""
        raise NotImplementedError

    def read_label(self, photo: PhotoFile) -> np.ndarray:
        """The mask of a photo as channels."""
        label = self.classes.encode(read_stored_mask(self.mask_file(photo)))
        assert label is not None  # state() has seen to that
        return label

    def sheet_row(self, photo: PhotoFile) -> Row:
        """A photo and its mask for the contact sheet."""
        label, names, palette = self.classes.drawn(self.read_label(photo))
        image = _small(read_rgb(photo.path))
        label = np.asarray(Image.fromarray(label).resize(image.shape[1::-1], Image.Resampling.NEAREST))
        return label_row(image, label, names, palette, title=photo.name, caption=self.folder)

    def finish(self, photos: Sequence[PhotoFile]) -> list[str]:
        """Write the files for all photos together."""
        return []


class MaskPredictor(Predictor):
    """Masks of a segmentation model."""

    folder = 'masks'
    pictures = 'overlays'

    def settings(self) -> dict[str, Any]:
        """How the photo is looked at."""
        return dict(test_time=self.inferencer.options) if self.inferencer.test_time else {}

    def write(self, photo: PhotoFile, image: np.ndarray, sample: Any, notes: dict[str, str]) -> None:
        """Write overlay and mask."""
        label = self.inferencer.label(sample)
        self.write_overlay(photo, image, label)
        self.write_mask(photo, label, notes)

    def write_overlay(self, photo: PhotoFile, image: np.ndarray, label: np.ndarray) -> None:
        """Write the mask over the photo."""
        drawn, _, palette = self.classes.drawn(label)
        save_picture(self.picture_file(photo), draw_labels(image, drawn, palette))

    def repair(self, photo: PhotoFile) -> bool:
        """Draw an overlay that is not there."""
        if not osp.exists(self.picture_file(photo)):
            self.write_overlay(photo, read_rgb(photo.path), self.read_label(photo))
        return True


class TagPredictor(Predictor):
    """Tags, CAM pictures and seeds of a classifier.

    Args:
        inferencer (CAMInferencer): The model.
        out_dir (str): Where the files go.
        threshold (float): Background threshold of the seeds.
    """

    folder = 'seeds'
    pictures = 'cams'

    def __init__(self, inferencer: CAMInferencer, out_dir: str, threshold: float) -> None:
        super().__init__(inferencer, out_dir)
        self.threshold = threshold

    def settings(self) -> dict[str, Any]:
        """How CAMs and seeds are made."""
        one = self.inferencer
        climb = None if one.climbing is None else repr(one.climbing)
        return dict(
            scales=one.scales, flip=one.flip, climb=climb, score_threshold=one.score_threshold, xi=one.xi,
            threshold=self.threshold,
        )  # fmt: skip

    def write(self, photo: PhotoFile, image: np.ndarray, sample: Any, notes: dict[str, str]) -> None:
        """Write the picture of the CAMs and the seed, which keeps the scores."""
        height, width = image.shape[:2]
        row = self.inferencer.row(_small(image, 512), sample, photo.name)
        if not len(sample.cam.classes):
            row.title = f'{photo.name}: {self.inferencer.summary(sample)}'
        save_picture(self.picture_file(photo), draw_sheet([row]))
        maps = upsample(mix(sample.cam, self.inferencer.xi), (height, width))
        label = seed(maps, sample.cam.classes, self.threshold)
        scores = [round(float(score), 4) for score in sample.pred_score]
        self.write_mask(photo, label, {**notes, SCORES: json.dumps(scores)})

    def repair(self, photo: PhotoFile) -> bool:
        """A picture of CAMs and scores cannot be made from the seed."""
        return osp.exists(self.picture_file(photo)) and self.scores(photo) is not None

    def scores(self, photo: PhotoFile) -> list[float] | None:
        """The scores of a photo, from its seed."""
        try:
            scores = json.loads(_notes(self.mask_file(photo)).get(SCORES, ''))
        except ValueError:
            return None
        return scores if isinstance(scores, list) and len(scores) == len(self.classes.names) - 1 else None

    def finish(self, photos: Sequence[PhotoFile]) -> list[str]:
        """Write ``tags.csv``, which the trainings read, and ``scores.csv``."""
        names = self.classes.names[1:]
        tags, table = [['image', 'labels']], [['image', *names]]
        for photo in photos:
            scores = self.scores(photo) or []
            seen = [name for name, score in zip(names, scores) if score > self.inferencer.score_threshold]
            tags.append([photo.name, ';'.join(seen)])
            table.append([photo.name, *(f'{score:.4f}' for score in scores)])
        files = []
        for name, rows in (('tags.csv', tags), ('scores.csv', table)):
            files.append(osp.join(self.out_dir, name))
            with atomic_write(files[-1], 'w', encoding='utf-8', newline='', errors='surrogateescape') as file:
                csv.writer(file, lineterminator='\n').writerows(rows)
        return files


def find_checkpoint(path: str | os.PathLike) -> str:
    """A checkpoint by its path or by a work folder.

    Args:
        path (str | PathLike): A file, the work folder of a training, or that of a pipeline.

    Returns:
        str: The file; of a folder the newest whole one, of a pipeline that of its last training that is done.

    Raises:
        InputError: If a folder has none.
    """
    folder = os.fspath(path)
    if not osp.isdir(folder):
        return folder
    manifest = Manifest(folder)
    records = {name: manifest.stages.get(name, {}) for name in manifest.pipeline.get('stages', ())}
    trained = [name for name, one in records.items() if one.get('kind') == 'train' and one.get('state') == 'done']
    found = latest_checkpoint(manifest.folder(trained[-1]) if trained else folder)
    if found is None:
        raise InputError(f'{folder}: no checkpoint in this folder; name a .pth, or train first')
    return found


def predict(
    checkpoint: str | os.PathLike,
    photos: str | Sequence[str],
    out_dir: str,
    config: str | os.PathLike | Config | None = None,
    formats: Sequence[str] = (),
    fast: bool = False,
    redo: bool = False,
    device: str | torch.device | None = None,
    batch_size: int | None = None,
    num_workers: int = 2,
    tolerance: float = 1.0,
    threshold: float | None = None,
    score_threshold: float | None = None,
) -> Predictions:
    """Predict photos and write the results.

    ::

        out_dir/
            classes.json                  names, mask values and colours
            contact_sheet.jpg             some of the photos
            masks/a/b.png                 of a segmentation model: the mask of a/b.jpg
            overlays/a/b.jpg              the mask over the photo
            seeds/a/b.png, cams/a/b.jpg   of a classifier: the thresholded CAM, and its picture
            tags.csv, scores.csv          of a classifier
            coco.json, yolo-seg/, …       ``formats``

    A mask that is there and whole is kept, and one that somebody put there is, too. Results depend neither on the order
    of the photos nor, but for rounding, on the batch.

    Args:
        checkpoint (str | PathLike): Of a segmentation model or a classifier, or a work folder that has one; see
            :func:`find_checkpoint`.
        photos (str | Sequence[str]): Files, folders (with all below them) and patterns.
        out_dir (str): Where the results go.
        config (str | PathLike | Config, optional): The config. Defaults to None: the one in the checkpoint.
        formats (Sequence[str]): Of annotation tools: any of :data:`~mmamr.fileio.annotations.FORMATS`. Defaults to
            none.
        fast (bool): Whether one scale is looked at, without mirror image and CRF. Defaults to False.
        redo (bool): Whether results that are there are made again, files of annotation tools that somebody has changed
            included. Defaults to False.
        device (str | torch.device, optional): Where to compute. Defaults to None: a GPU where there is one.
        batch_size (int, optional): Photos of one size at once. Defaults to None: 1 on a CPU, 4 on a GPU.
        num_workers (int): Threads that read and write. Defaults to 2.
        tolerance (float): How far outlines of annotations may lie from the mask, in pixels. Defaults to 1.
        threshold (float, optional): Background threshold of a classifier's seeds. Defaults to None: 0.2.
        score_threshold (float, optional): A classifier's tags score more. Defaults to None: 0.5.

    Returns:
        Predictions: What was done, and what could not be read.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        InputError: If there is no photo; if the checkpoint is none of these models; or if results are there that were
            made by another model or of another photo, without ``redo``.
    """
    device = choose_device(device)
    found, failed = find_photos([photos] if isinstance(photos, str) else photos, out_dir)
    if not found:
        raise InputError(failed[0] if failed else 'no photos: name files or folders')
    unknown = [name for name in formats if name not in FORMATS and name != 'png']
    if unknown:
        raise InputError(f'no format {unknown[0]!r}: there are png, {", ".join(FORMATS)}')
    predictor = make_predictor(find_checkpoint(checkpoint), config, device, out_dir, fast, threshold, score_threshold)
    made = predictor.digest()
    report = Predictions(failed=failed)
    todo, done = _sort_out(found, predictor, made, redo, report)
    report.kept = len(done)
    with atomic_write(osp.join(out_dir, 'classes.json'), 'w', encoding='utf-8') as file:
        json.dump(dict(classes=predictor.classes.as_list(), ignore=MaskClasses.IGNORE), file, indent=1)
        file.write('\n')
    size = batch_size or (1 if device.type == 'cpu' else 4)
    done += _predict_all(todo, predictor, made, size, num_workers, report)
    done.sort(key=lambda photo: photo.stem)
    report.made = len(done) - report.kept
    report.files += predictor.finish(done)
    for name in dict.fromkeys(name for name in formats if name != 'png'):
        items = (
            AnnotatedPhoto(photo.name, photo.stem, photo.path, predictor.read_label(photo))
            for photo in track(done, name)
        )
        files = write_annotations(name, items, predictor.classes, out_dir, tolerance, redo)
        if files.written:
            report.files.append(files.written[0] if len(files.written) == 1 else osp.join(out_dir, name))
        report.changed += files.changed
    if done:
        shown = [done[index * len(done) // min(SHEET, len(done))] for index in range(min(SHEET, len(done)))]
        report.files.append(osp.join(out_dir, 'contact_sheet.jpg'))
        save_picture(report.files[-1], draw_sheet([predictor.sheet_row(photo) for photo in shown]))
    return report


def make_predictor(
    checkpoint: str | os.PathLike,
    config: str | os.PathLike | Config | None,
    device: torch.device,
    out_dir: str,
    fast: bool = False,
    threshold: float | None = None,
    score_threshold: float | None = None,
) -> Predictor:
    """The predictor of a checkpoint; the arguments are those of :func:`predict`."""
    model = init_model(config, checkpoint, device)
    if isinstance(getattr(model, 'module', model), BaseSegmentor):
        if threshold is not None or score_threshold is not None:
            raise InputError(
                f'{os.fspath(checkpoint)} is a segmentation model: thresholds are for classifiers, leave them out'
            )
        return MaskPredictor(SegInferencer(model, test_time=not fast), out_dir)
    if isinstance(model, BaseCAMClassifier):
        inferencer = CAMInferencer(
            model,
            scales=(1.0,) if fast else None,
            flip=False if fast else None,
            score_threshold=0.5 if score_threshold is None else score_threshold,
        )
        return TagPredictor(inferencer, out_dir, 0.2 if threshold is None else threshold)
    raise InputError(
        f'{os.fspath(checkpoint)} is a {type(model).__name__}: name the checkpoint of a segmentation model or of a '
        'classifier'
    )


def _sort_out(
    photos: Sequence[PhotoFile], predictor: Predictor, made: str, redo: bool, report: Predictions
) -> tuple[list[PhotoFile], list[PhotoFile]]:
    """The photos that are to be predicted, and those that are done.

    Raises:
        InputError: If results are there that were made otherwise, without ``redo``.
    """
    todo, done, others = [], [], []
    for photo in photos:
        try:
            photo.digest = _digest(photo.path)
            state = _state(photo, predictor, made)
        except (InputError, OSError) as error:
            report.failed.append(_line(photo.path, error))
            continue
        if state == 'done' and not redo and predictor.repair(photo):
            done.append(photo)
        else:
            todo.append(photo)
        if state not in ('done', 'missing'):
            others.append((photo, state))
    if others and not redo:
        photo, state = others[0]
        raise InputError(
            f'{predictor.mask_file(photo)} was made {state} ({len(others)} of {len(photos)} are not of this run): pass '
            '--redo to make them again, or name another --out'
        )
    return todo, done


def _state(photo: PhotoFile, predictor: Predictor, made: str) -> str:
    """Whether the mask of a photo is ``'done'`` or ``'missing'``, or what else it was made of."""
    path = predictor.mask_file(photo)
    size = read_size(photo.path)
    if not osp.exists(path):
        return 'missing'
    try:
        mask, notes = read_stored_mask(path), _notes(path)
    except DatasetError:
        return 'missing'
    if notes.get(PHOTO, photo.digest) != photo.digest or mask.shape != size:
        return 'of another photo'
    if notes.get(MADE, made) != made:
        return 'with another checkpoint or other options'
    return 'done' if predictor.classes.encode(mask) is not None else 'for other classes'


def _predict_all(
    photos: Sequence[PhotoFile],
    predictor: Predictor,
    made: str,
    batch_size: int,
    num_workers: int,
    report: Predictions,
) -> list[PhotoFile]:
    """Predict photos: some threads read ahead and write behind. Returns those that are done."""
    if batch_size > 1:
        photos = sorted(photos, key=lambda photo: read_size(photo.path))
    done: list[PhotoFile] = []
    waiting: deque[PhotoFile] = deque()
    with ThreadPoolExecutor(max(num_workers, 1)) as pool:

        def images() -> Iterator[np.ndarray]:
            reading = _ahead(pool, lambda photo: read_rgb(photo.path), photos, 2 * max(num_workers, 1))
            for photo, future in track(reading, predictor.folder, len(photos)):
                try:
                    image = future.result()
                except (InputError, OSError) as error:
                    report.failed.append(_line(photo.path, error))
                    continue
                waiting.append(photo)
                yield image

        writing: deque[Future] = deque()
        for batch, samples in predictor.inferencer.stream(images(), batch_size):
            for image, sample in zip(batch, samples):
                photo = waiting.popleft()
                notes = {PHOTO: photo.digest, MADE: made}
                writing.append(pool.submit(predictor.write, photo, image, sample, notes))
                done.append(photo)
            while len(writing) > 2 * max(num_workers, batch_size):
                writing.popleft().result()
        for future in writing:
            future.result()
    return done


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[PhotoFile], np.ndarray], photos: Iterable[PhotoFile], window: int
) -> Iterator[tuple[PhotoFile, Future]]:
    """Let threads work on the next photos while this one is being looked at."""
    running: deque[tuple[PhotoFile, Future]] = deque()
    for photo in photos:
        running.append((photo, pool.submit(work, photo)))
        if len(running) > window:
            yield running.popleft()
    yield from running


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _notes(path: str) -> dict[str, str]:
    """What stands in a mask beside its pixels."""
    with Image.open(path, formats=['PNG']) as image:
        return {key: str(value) for key, value in image.info.items() if isinstance(key, str)}


def _small(image: np.ndarray, side: int = 512) -> np.ndarray:
    """An image made smaller for a picture."""
    small = Image.fromarray(image)
    small.thumbnail((side, side))
    return np.asarray(small)


def _line(path: str, error: Exception) -> str:
    if isinstance(error, InputError):
        return error.line
    return f'{path}: {getattr(error, "strerror", None) or error}; mend it or leave it out'
