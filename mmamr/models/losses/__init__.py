from .affinity_loss import FeatureAffinityLoss, PathAffinityLoss
from .cross_pseudo_supervision_loss import CrossPseudoSupervisionLoss
from .displacement_loss import DisplacementLoss
from .generalized_cross_entropy_loss import GeneralizedCrossEntropyLoss
from .multilabel_soft_margin_loss import MultiLabelSoftMarginLoss
from .partial_label_loss import PartialLabelLoss
from .seam_loss import SEAMLoss

__all__ = [
    'CrossPseudoSupervisionLoss',
    'DisplacementLoss',
    'FeatureAffinityLoss',
    'GeneralizedCrossEntropyLoss',
    'MultiLabelSoftMarginLoss',
    'PartialLabelLoss',
    'PathAffinityLoss',
    'SEAMLoss',
]
