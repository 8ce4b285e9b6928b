from .affinity_label_loop import AffinityLabelLoop
from .cam_loop import CAMLoop
from .foreground_loop import ForegroundLoop
from .image_files_loop import ImageFilesLoop
from .pseudo_label_loop import PseudoLabelLoop
from .walk_loop import WalkLoop

__all__ = ['AffinityLabelLoop', 'CAMLoop', 'ForegroundLoop', 'ImageFilesLoop', 'PseudoLabelLoop', 'WalkLoop']
