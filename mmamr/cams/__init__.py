from .files import CAM, cam_is_valid, read_cam, strided_size, write_cam
from .maps import mix, normalize_maps, seed, upsample

__all__ = [
    'CAM', 'cam_is_valid', 'mix', 'normalize_maps', 'read_cam', 'seed', 'strided_size', 'upsample', 'write_cam'
]
