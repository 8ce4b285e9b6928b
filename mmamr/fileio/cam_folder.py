from collections.abc import Sequence

from mmamr.structures import CAM
from mmamr.utils import InputError

from .cam_file import cam_is_valid, read_cam, write_cam
from .folder import FilesFolder


class CAMFolder(FilesFolder):
    """The CAM files of a data set, before or after a random walk: ``<folder>/<id>.npz``.

    Args:
        folder (str): The folder.
        num_classes (int, optional): Foreground classes of the data set, which a CAM must not exceed. Defaults to None:
            any class is accepted.
    """

    suffix = '.npz'

    def __init__(self, folder: str, num_classes: int | None = None) -> None:
        super().__init__(folder)
        self.num_classes = num_classes

    def read(self, img_id: str, size: Sequence[int] | None = None) -> CAM:
        """Read and check the CAM of an image.

        Args:
            img_id (str): Id of the image.
            size (Sequence[int], optional): Height and width that the image has. Defaults to None: not checked.

        Returns:
            CAM: Its maps in float16.

        Raises:
            FileNotFoundError: If there is no such file.
            InputError: If it is broken, of an image of another size or of another data set.
        """
        path = self.path(img_id)
        cam = read_cam(path)
        if size is not None and cam.size != tuple(size):
            raise InputError(
                f'{path} was made of an image of {cam.size}, but the image has {tuple(size)}: make the CAMs of this '
                'data set again'
            )
        if self.num_classes is not None and max(cam.classes, default=0) >= self.num_classes:
            raise InputError(
                f'{path} has class {max(cam.classes)}, but the data set has {self.num_classes} classes: name the '
                'config that the CAMs were made with'
            )
        return cam

    def write(self, img_id: str, cam: CAM) -> None:
        """Write the CAM of an image whole."""
        write_cam(self.path(img_id), cam)

    def is_valid(self, img_id: str, size: Sequence[int], classes: Sequence[int] | None = None) -> bool:
        """Whether a whole CAM file of an image is there.

        Args:
            img_id (str): Id of the image.
            size (Sequence[int]): Its height and width.
            classes (Sequence[int], optional): The classes that the CAM must have. Defaults to None: not checked.
        """
        return cam_is_valid(self.path(img_id), size, classes, self.num_classes)
