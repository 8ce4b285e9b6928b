from .affinity_label_loop import AffinityLabelLoop
from .cam_loop import CAMLoop
from .image_files_loop import ImageFilesLoop
from .output_folder import OutputFolder
from .pseudo_label_loop import PseudoLabelLoop

__all__ = ['AffinityLabelLoop', 'CAMLoop', 'ImageFilesLoop', 'OutputFolder', 'PseudoLabelLoop']
