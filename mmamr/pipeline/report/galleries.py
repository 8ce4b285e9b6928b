"""Which photos a report shows, and in which order."""

from collections.abc import Callable, Iterator, Sequence

from mmamr.utils import failure_line

from .choice import MOST_RATED, Rating, least_certain, lowest_iou, random_indices, rate
from .photos import EvaluationPhotos, Photos, TrainingPhotos
from .pictures import Gallery
from .segmentor import Segmentor
from .work_folder import StageFiles

LABEL_LOOPS = ('PseudoLabelLoop',)


def draw_galleries(stages: Sequence[StageFiles], num: int, seed: int = 0) -> list[Gallery]:
    """What the stages made of some photos: those that CAMs and labels were made of, and those of the evaluation.

    Each photo is shown once: among the least certain ones, which no masks are needed for, else among random ones, else
    among those of the lowest IoU where there are masks.

    Args:
        stages (Sequence[StageFiles]): The stages; what is not done is left out.
        num (int): How many photos of each gallery; all where there are fewer.
        seed (int): Of the random choices. Defaults to 0.

    Returns:
        list[Gallery]: With a note where a file is missing or broken.
    """
    evaluation = find(stages, 'TestLoop')
    segmentor = None if evaluation is None else Segmentor(stages, evaluation)
    cam, labels = find(stages, 'CAMLoop'), find_labels(stages, evaluation)
    galleries: list[Gallery] = []
    if cam is not None or labels is not None:
        galleries += _draw('Training photos', lambda: TrainingPhotos(stages, cam, labels, segmentor), num, seed)
    if segmentor is not None:
        galleries += _draw('Validation photos', lambda: EvaluationPhotos(segmentor), num, seed)
    return galleries


def find(stages: Sequence[StageFiles], *loops: str) -> StageFiles | None:
    """The last stage that is done and runs one of these test loops."""
    return next((stage for stage in reversed(stages) if stage.done and stage.loop in loops), None)


def find_labels(stages: Sequence[StageFiles], evaluation: StageFiles | None) -> StageFiles | None:
    """The stage whose pseudo labels are shown: where several make some, the last before the evaluation.

    The segmentation learns from these; what stands after the evaluation is there for comparison.
    """
    before = [] if evaluation is None else stages[: stages.index(evaluation)]
    return find(before, *LABEL_LOOPS) or find(stages, *LABEL_LOOPS)


def _draw(what: str, read: Callable[[], Photos], num: int, seed: int) -> Iterator[Gallery]:
    """The galleries of one data set; the rest of the report is worth having whatever happens to them."""
    try:
        photos = read()
        chosen = choose(photos, rate(photos.dataset, photos.rating, seed), num, seed)
    except Exception as error:
        yield Gallery(what, note=f'No pictures: {_reason(error)}')
        return
    for gallery, indices in chosen:
        problem = ''
        for index in indices:
            try:
                gallery.rows.append(photos.row(index))
            except Exception as error:
                problem = problem or _reason(error)
        if problem:
            problem = f'{"Some photos are missing" if gallery.rows else "No pictures"}: {problem}'
        gallery.note, photos.problem = ' '.join(filter(None, [problem, photos.problem])), ''
        yield gallery


def choose(photos: Photos, ratings: Sequence[Rating], num: int, seed: int) -> list[tuple[Gallery, list[int]]]:
    """The galleries of a data set, still without pictures, and the photos of each; those without photos are left out.

    Args:
        photos (Photos): The photos.
        ratings (Sequence[Rating]): Those of them that were rated.
        num (int): How many photos of each gallery.
        seed (int): Of the random choice.
    """
    total = len(photos.dataset)
    of = f' of {MOST_RATED:,} out of {total:,}' if total > MOST_RATED else ''
    uncertain = [one.index for one in least_certain(ratings, num)]
    more = (
        f' After the first {num} come the least certain ones of classes that few of them show.'
        if len(uncertain) > num
        else ''
    )
    random = random_indices(total, num, seed, without=set(uncertain))
    worst = [one.index for one in lowest_iou(ratings, num, without={*uncertain, *random})]
    galleries = [
        (
            Gallery(
                photos.titles[0],
                f'Those{of} whose labels would change the most easily: averaged over the pixels, the best score is '
                f'least ahead of the second.{more}',
            ),
            uncertain,
        ),
        (
            Gallery(photos.titles[1], f'{len(random)} {"other " if uncertain else ""}photos at random (seed {seed}).'),
            random,
        ),
        (
            Gallery(
                photos.titles[2],
                f'Those{of} not shown above whose {photos.measured} agree least with the masks.',
            ),
            worst,
        ),
    ]
    return [(gallery, indices) for gallery, indices in galleries if indices]


def _reason(error: Exception) -> str:
    return failure_line(error) or f'{type(error).__name__}: {error}'
