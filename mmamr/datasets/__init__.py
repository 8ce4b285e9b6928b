"""Photographs and their labels. The registries import this package when they are first asked for a data set."""

from .affinity_label_dataset import AffinityLabelDataset
from .config import init_dataset, load_config
from .embedded import EmbeddedAffinityLabelDataset, EmbeddedDataset, EmbeddedSegmentationDataset
from .folder_classes import folder_metainfo
from .image_label_dataset import ImageLabelDataset
from .items import choose_items
from .labels import CSVLabels, LabelTable, MaskLabels, VOCXMLLabels
from .mask_colors import class_index_of
from .samplers import SameSizeBatchSampler
from .segmentation_dataset import LoadMask, SegmentationDataset
from .transforms import InferencerLoader, KeepPhoto, LoadImage, RandomCropPad, RandomLongSideResize, RandomSquareErase

__all__ = [
    'AffinityLabelDataset',
    'CSVLabels',
    'EmbeddedAffinityLabelDataset',
    'EmbeddedDataset',
    'EmbeddedSegmentationDataset',
    'ImageLabelDataset',
    'InferencerLoader',
    'KeepPhoto',
    'LabelTable',
    'LoadImage',
    'LoadMask',
    'MaskLabels',
    'RandomCropPad',
    'RandomLongSideResize',
    'RandomSquareErase',
    'SameSizeBatchSampler',
    'SegmentationDataset',
    'VOCXMLLabels',
    'choose_items',
    'class_index_of',
    'folder_metainfo',
    'init_dataset',
    'load_config',
]
