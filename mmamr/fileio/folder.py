import os.path as osp

from mmamr.utils import InputError


class FilesFolder:
    """A folder with one file an image: the only place where the path of such a file is put together.

    Args:
        folder (str): The folder.
    """

    suffix: str
    """Of the files, e.g. ``'.npz'``."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def path(self, img_id: str) -> str:
        """The file of one image.

        Raises:
            InputError: If its id would leave the folder.
        """
        if '\0' in img_id or osp.isabs(img_id) or '..' in img_id.split('/'):
            raise InputError(f'{self.folder}: the id {img_id!r} is a path out of this folder; mend the list of images')
        return osp.join(self.folder, img_id + self.suffix)

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.folder!r})'
