from .affinity_head import AffinityHead
from .cam_head import CAMHead
from .irnet_heads import DisplacementHead, EdgeHead

__all__ = ['AffinityHead', 'CAMHead', 'DisplacementHead', 'EdgeHead']
