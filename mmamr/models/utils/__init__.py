from .folded_norms import folded_norms
from .shared_layer import SharedLayer, share_layers
from .strict_pretrained import StrictPretrained

__all__ = ['SharedLayer', 'StrictPretrained', 'folded_norms', 'share_layers']
