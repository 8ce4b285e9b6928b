from typing import Any

from mmengine.model import BaseModel
from mmengine.runner import Runner

from mmamr.fileio import read_rgb
from mmamr.models.modulation import activations_of, choose_amm
from mmamr.registry import HOOKS
from mmamr.utils import check_number
from mmamr.visualization import draw_histograms

from .picture_hook import PictureHook


@HOOKS.register_module()
class ActivationHistogramHook(PictureHook):
    """Draw histograms of activations before and after an AMM while it is trained (Fig. 3).

    The picture ``activations`` goes to the runner's visualizer: features before and after the AMM, and the attention of
    its halves before and after modulation. It changes nothing in the training.

    Args:
        module (str, optional): Full name of the AMM. Defaults to None: the last of the network.
        width (int): Of the picture in pixels. Defaults to 800.
        kwargs: See :class:`PictureHook`.
    """

    what = 'activations'

    def __init__(self, module: str | None = None, width: int = 800, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.module = module
        check_number('width', width, 16, whole=True)
        self.width = width

    def before_train(self, runner: Runner) -> None:
        """Choose the images, and see that there is such an AMM, now and not after an epoch.

        Raises:
            InputError: If there is not; the message names those there are.
        """
        super().before_train(runner)
        choose_amm(self.network(runner), self.module)

    def draw(self, runner: Runner, model: BaseModel, step: int) -> None:
        """Draw the AMM's activations on the chosen images."""
        images = [read_rgb(item['img_path'], max_long_side=item['max_long_side']) for item in self.items]
        name, values = activations_of(model, images, self.module)
        runner.visualizer.add_image('activations', draw_histograms(values, name, self.width), step)
