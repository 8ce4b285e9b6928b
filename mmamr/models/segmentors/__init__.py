from .large_photos import bound_logits
from .multi_scale_input import MultiScaleInputSegmentor
from .pseudo_label_segmentor import PseudoLabelSegmentor
from .tag_gated_segmentor import TagGatedSegmentor
from .test_time import TestTimeSegmentor

bound_logits()

__all__ = ['MultiScaleInputSegmentor', 'PseudoLabelSegmentor', 'TagGatedSegmentor', 'TestTimeSegmentor']
