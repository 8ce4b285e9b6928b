from .affinity_labels import affinity_label_affinitynet, affinity_label_irnet, crf_label
from .affinity_walk import affinity_walk, feature_affinity
from .dense_crf import AFFINITYNET_CRF, DEEPLABV2_CRF, IRNET_CRF, CRFParams, DenseCRF, check_crf, dense_crf
from .paths import displacements, path
from .random_walk import edge_affinity, random_walk
from .transition import check_walk

__all__ = [
    'AFFINITYNET_CRF',
    'DEEPLABV2_CRF',
    'IRNET_CRF',
    'CRFParams',
    'DenseCRF',
    'affinity_label_affinitynet',
    'affinity_label_irnet',
    'affinity_walk',
    'check_crf',
    'check_walk',
    'crf_label',
    'dense_crf',
    'displacements',
    'edge_affinity',
    'feature_affinity',
    'path',
    'random_walk',
]
