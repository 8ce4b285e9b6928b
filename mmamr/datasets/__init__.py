"""Photographs and their labels. The registries import this package when they are first asked for a data set."""
from .class_index import ClassIndex
from .errors import DatasetError
from .image_label_dataset import ImageLabelDataset
from .images import read_image, read_mask, read_size
from .labels import CSVLabels, LabelTable, MaskLabels, VOCXMLLabels
from .samplers import SameSizeBatchSampler
from .transforms import LoadImage, RandomCropPad, RandomLongSideResize, RandomSquareErase
from .voc import VOC_CLASSES, voc_palette

__all__ = [
    'VOC_CLASSES',
    'CSVLabels',
    'ClassIndex',
    'DatasetError',
    'ImageLabelDataset',
    'LabelTable',
    'LoadImage',
    'MaskLabels',
    'RandomCropPad',
    'RandomLongSideResize',
    'RandomSquareErase',
    'SameSizeBatchSampler',
    'VOCXMLLabels',
    'read_image',
    'read_mask',
    'read_size',
    'voc_palette',
]
