from .affinity_loss import FeatureAffinityLoss, PathAffinityLoss
from .cross_pseudo_supervision_loss import CrossPseudoSupervisionLoss
from .displacement_loss import DisplacementLoss
from .multilabel_soft_margin_loss import MultiLabelSoftMarginLoss
from .partial_label_loss import PartialLabelLoss
from .seam_loss import SEAMLoss

__all__ = [
    'CrossPseudoSupervisionLoss',
    'DisplacementLoss',
    'FeatureAffinityLoss',
    'MultiLabelSoftMarginLoss',
    'PartialLabelLoss',
    'PathAffinityLoss',
    'SEAMLoss',
]
