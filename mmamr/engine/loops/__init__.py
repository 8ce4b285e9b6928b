from .affinity_label_loop import AffinityLabelLoop
from .cam_label_loop import CAMLabelLoop
from .cam_loop import CAMLoop
from .image_files_loop import ImageFilesLoop
from .output_folder import OutputFolder
from .pseudo_label_loop import PseudoLabelLoop

__all__ = ['AffinityLabelLoop', 'CAMLabelLoop', 'CAMLoop', 'ImageFilesLoop', 'OutputFolder', 'PseudoLabelLoop']
