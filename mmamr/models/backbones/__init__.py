from .efficientnet_lite import EfficientNetLite, EfficientNetLitePretrained
from .wide_resnet38 import WideResNet38

__all__ = ['EfficientNetLite', 'EfficientNetLitePretrained', 'WideResNet38']
