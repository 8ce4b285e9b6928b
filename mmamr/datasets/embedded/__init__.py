"""A data set that the package draws itself, so that the whole method can be tried without a download.

Creatures in different places: a body and legs that all kinds have alike, and a small head and tail that tell the kind.
So a classifier learns heads, and its CAMs cover too little, as those of photographs do.
"""

from .creatures import CLASSES
from .dataset import EmbeddedAffinityLabelDataset, EmbeddedDataset, EmbeddedMixin, EmbeddedSegmentationDataset
from .folder import draw_image, embedded_root, split_ids
from .scene import Scene, SceneObject, draw_scene

__all__ = [
    'CLASSES',
    'EmbeddedAffinityLabelDataset',
    'EmbeddedDataset',
    'EmbeddedMixin',
    'EmbeddedSegmentationDataset',
    'Scene',
    'SceneObject',
    'draw_image',
    'draw_scene',
    'embedded_root',
    'split_ids',
]
