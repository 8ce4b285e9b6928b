"""The only door to files of pixels: photos and masks, CAM files and label files, and the folders that stages fill."""

from .cam_file import cam_is_valid, read_cam, write_cam
from .cam_folder import CAMFolder
from .images import (
    MAX_LONG_SIDE,
    bounded_size,
    read_image,
    read_mask,
    read_mask_labels,
    read_orientation,
    read_rgb,
    read_size,
    read_stored_mask,
    read_truth,
    reason,
)
from .label_folder import LabelFolder
from .output_folder import SETTINGS, ChangedSettingsError, OutputFolder, folder_digest, state_digest

__all__ = [
    'MAX_LONG_SIDE',
    'SETTINGS',
    'CAMFolder',
    'ChangedSettingsError',
    'LabelFolder',
    'OutputFolder',
    'bounded_size',
    'cam_is_valid',
    'folder_digest',
    'read_cam',
    'read_image',
    'read_mask',
    'read_mask_labels',
    'read_orientation',
    'read_rgb',
    'read_size',
    'read_stored_mask',
    'read_truth',
    'reason',
    'state_digest',
    'write_cam',
]
