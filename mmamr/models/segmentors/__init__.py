from .multi_scale_input import MultiScaleInputSegmentor
from .test_time import TestTimeSegmentor

__all__ = ['MultiScaleInputSegmentor', 'TestTimeSegmentor']
