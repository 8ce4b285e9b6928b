from .files import CAM, cam_is_valid, read_cam, strided_size, write_cam
from .maps import mix, normalize_maps, seed, upsample
from .multi_scale import multi_scale_maps, resize_images

__all__ = [
    'CAM', 'cam_is_valid', 'mix', 'multi_scale_maps', 'normalize_maps', 'read_cam', 'resize_images', 'seed',
    'strided_size', 'upsample', 'write_cam'
]
