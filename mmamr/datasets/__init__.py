"""Photographs and their labels. The registries import this package when they are first asked for a data set."""

from .affinity_label_dataset import AffinityLabelDataset
from .class_index import ClassIndex
from .embedded import EmbeddedAffinityLabelDataset, EmbeddedDataset, EmbeddedSegmentationDataset
from .errors import DatasetError
from .folder_classes import folder_metainfo
from .image_label_dataset import ImageLabelDataset
from .images import read_image, read_mask, read_size
from .labels import CSVLabels, LabelTable, MaskLabels, VOCXMLLabels
from .samplers import SameSizeBatchSampler
from .segmentation_dataset import LoadMask, SegmentationDataset
from .transforms import LoadImage, RandomCropPad, RandomLongSideResize, RandomSquareErase
from .voc import VOC_CLASSES, voc_palette

__all__ = [
    'VOC_CLASSES',
    'AffinityLabelDataset',
    'CSVLabels',
    'ClassIndex',
    'DatasetError',
    'EmbeddedAffinityLabelDataset',
    'EmbeddedDataset',
    'EmbeddedSegmentationDataset',
    'ImageLabelDataset',
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
    'folder_metainfo',
    'read_image',
    'read_mask',
    'read_size',
    'voc_palette',
]
