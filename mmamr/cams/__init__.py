from .batch import batch_cams
from .certainty import certainty
from .climbing import Climbing, climb, climbed_cams, climbed_maps
from .maps import average, mix, normalize_maps, seed, upsample
from .multi_scale import multi_scale_maps, resize_images
from .walks import label_of_cam, walk_cam

__all__ = [
    'Climbing',
    'average',
    'batch_cams',
    'certainty',
    'climb',
    'climbed_cams',
    'climbed_maps',
    'label_of_cam',
    'mix',
    'multi_scale_maps',
    'normalize_maps',
    'resize_images',
    'seed',
    'upsample',
    'walk_cam',
]
