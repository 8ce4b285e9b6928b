from .batch import batch_cams
from .climbing import Climbing, climb, climbed_cams, climbed_maps
from .files import CAM, cam_is_valid, read_cam, strided_size, write_cam
from .maps import average, mix, normalize_maps, seed, upsample
from .multi_scale import multi_scale_maps, resize_images
from .walks import label_of_walk, walk_cam

__all__ = [
    'CAM',
    'Climbing',
    'average',
    'batch_cams',
    'cam_is_valid',
    'climb',
    'climbed_cams',
    'climbed_maps',
    'label_of_walk',
    'mix',
    'multi_scale_maps',
    'normalize_maps',
    'read_cam',
    'resize_images',
    'seed',
    'strided_size',
    'upsample',
    'walk_cam',
    'write_cam',
]
