"""The embedded data set behind the registry, for each kind of stage."""

from typing import Any

from mmamr.registry import DATASETS

from ..affinity_label_dataset import AffinityLabelDataset
from ..image_label_dataset import ImageLabelDataset
from ..segmentation_dataset import SegmentationDataset
from .creatures import CLASSES
from .folder import NUM_TRAIN, NUM_VAL, SEED, embedded_root


class EmbeddedMixin:
    """Draws the data set before the class beside it reads it from disk.

    Args:
        data_root (str, optional): The folder, see :func:`embedded_root`. Defaults to None: in the cache.
        num_train (int): Pictures to train with. Defaults to 400.
        num_val (int): Pictures to validate on. Defaults to 100.
        seed (int): Seed of the drawings. Defaults to 0.
        **kwargs: Those of the class beside it.
    """

    OWN_CLASSES = CLASSES

    def __init__(
        self,
        data_root: str | None = None,
        num_train: int = NUM_TRAIN,
        num_val: int = NUM_VAL,
        seed: int = SEED,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault('metainfo', dict(classes=self.OWN_CLASSES))
        # of the class beside it, which takes the folder
        super().__init__(  # type: ignore[call-arg]
            data_root=embedded_root(data_root, num_train, num_val, seed), **kwargs
        )


@DATASETS.register_module()
class EmbeddedDataset(EmbeddedMixin, ImageLabelDataset):
    """The embedded data set with image-level labels; arguments of :class:`EmbeddedMixin` and
    :class:`ImageLabelDataset`."""


@DATASETS.register_module()
class EmbeddedAffinityLabelDataset(EmbeddedMixin, AffinityLabelDataset):
    """The embedded data set with affinity labels; arguments of :class:`EmbeddedMixin` and
    :class:`AffinityLabelDataset`."""


@DATASETS.register_module()
class EmbeddedSegmentationDataset(EmbeddedMixin, SegmentationDataset):
    """The embedded data set with masks; arguments of :class:`EmbeddedMixin` and :class:`SegmentationDataset`."""
