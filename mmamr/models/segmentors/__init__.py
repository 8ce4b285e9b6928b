from .large_photos import bound_logits
from .multi_scale_input import MultiScaleInputSegmentor
from .test_time import TestTimeSegmentor

bound_logits()

__all__ = ['MultiScaleInputSegmentor', 'TestTimeSegmentor']
