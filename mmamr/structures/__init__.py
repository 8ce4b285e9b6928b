"""What the rooms above hand to each other: CAMs of an image, and how classes are counted."""

from .cam import CAM, strided_size
from .class_index import ClassIndex
from .mask_classes import MaskClasses
from .voc import VOC_CLASSES, voc_palette

__all__ = ['CAM', 'VOC_CLASSES', 'ClassIndex', 'MaskClasses', 'strided_size', 'voc_palette']
