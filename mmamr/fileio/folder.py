import os.path as osp


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
        """The file of one image."""
        return osp.join(self.folder, img_id + self.suffix)

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.folder!r})'
