from .hooks import *  # noqa: F403
from .loops import *  # noqa: F403
from .optim_wrappers import *  # noqa: F403
from .runner import *  # noqa: F403
