from .building import build_model, class_names, class_numbers, load_weights, preprocess
from .extract import extract
from .folded_norms import FoldedCopies, folded_copy, folded_norms
from .memory_format import training_format
from .shared_layer import SharedLayer, share_layers
from .strict_pretrained import StrictPretrained

__all__ = [
    'FoldedCopies',
    'SharedLayer',
    'StrictPretrained',
    'build_model',
    'class_names',
    'class_numbers',
    'extract',
    'folded_copy',
    'folded_norms',
    'load_weights',
    'preprocess',
    'share_layers',
    'training_format',
]
