"""The report of a pipeline: what is read from its work folder, how it is drawn, and the page.

:func:`mmamr.apis.write_report` puts the parts together and adds the pictures.
"""

from .page import Gallery, Picture, PictureRow, render_page
from .work_folder import StageFiles, read_stages

__all__ = ['Gallery', 'Picture', 'PictureRow', 'StageFiles', 'read_stages', 'render_page']
