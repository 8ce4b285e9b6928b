"""Any folder of photos with tags in any of the usual formats, laid out as VOC's."""

from .folder import LAYOUT, PhotoFolder
from .layout import DRAWN, Layout, lay_out, read_layout
from .readers import KINDS, READERS
from .scan import Scan, scan
from .tags import TagReader, Tags

__all__ = [
    'DRAWN',
    'KINDS',
    'LAYOUT',
    'READERS',
    'Layout',
    'PhotoFolder',
    'Scan',
    'TagReader',
    'Tags',
    'lay_out',
    'read_layout',
    'scan',
]
