from .amr_classifier import AMRClassifier
from .base import BaseCAMClassifier
from .cam_branch import CAMBranch
from .cam_classifier import CAMClassifier

__all__ = ['AMRClassifier', 'BaseCAMClassifier', 'CAMBranch', 'CAMClassifier']
