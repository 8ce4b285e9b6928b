"""Label maps as the files of annotation tools: COCO, YOLO, LabelMe, CVAT."""

from .formats import FORMATS, AnnotatedPhoto, write_annotations

__all__ = ['FORMATS', 'AnnotatedPhoto', 'write_annotations']
