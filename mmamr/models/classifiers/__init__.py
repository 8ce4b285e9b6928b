from .amr_classifier import AMRClassifier
from .base import BaseCAMClassifier
from .cam_branch import CAMBranch
from .cam_classifier import CAMClassifier
from .seam_branch import SEAMBranch

__all__ = ['AMRClassifier', 'BaseCAMClassifier', 'CAMBranch', 'CAMClassifier', 'SEAMBranch']
