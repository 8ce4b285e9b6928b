"""What is wrong with a data set, in one line."""

from mmamr.utils import InputError


class DatasetError(InputError):
    """A data set that cannot be used as it is; the message is one line that names the file and the cure.

    Args:
        message (str): The line.
        kind (str): What sort of problem it is, in a few words; ``check_dataset.py`` groups by it. Defaults to
            'data set'.
    """

    def __init__(self, message: str, kind: str = 'data set') -> None:
        super().__init__(message)
        self.kind = kind
