"""Label maps as the files of annotation tools, COCO, YOLO, LabelMe and CVAT, and back."""

from .drawing import Shape, draw_shapes
from .formats import FORMATS, AnnotatedPhoto, write_annotations

__all__ = ['FORMATS', 'AnnotatedPhoto', 'Shape', 'draw_shapes', 'write_annotations']
