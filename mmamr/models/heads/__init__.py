from .affinity_head import AffinityHead
from .cam_head import CAMHead
from .irnet_heads import DisplacementHead, EdgeHead
from .seam_head import PixelCorrelationModule, SEAMHead

__all__ = ['AffinityHead', 'CAMHead', 'DisplacementHead', 'EdgeHead', 'PixelCorrelationModule', 'SEAMHead']
