from .batch import batch_cams
from .certainty import certainty
from .climbing import Climbing, climb, climbed_cams, climbed_maps
from .doubt import DoubtLimits, doubt_histograms, doubt_limits, leave_open, object_scores
from .foreground import FeatureMoments, discriminant, foreground_of, spread_cam
from .large_maps import argmax_at, bands, enlarge_label
from .maps import average, mix, mixtures, normalize_maps, resize_cam, seed, upsample
from .multi_scale import multi_scale_maps, resize_images
from .thresholds import BINS, candidates, histogram_power, otsu_threshold, score_histogram
from .walks import label_of_cam, walk_cam

__all__ = [
    'BINS',
    'Climbing',
    'DoubtLimits',
    'FeatureMoments',
    'argmax_at',
    'average',
    'bands',
    'batch_cams',
    'candidates',
    'certainty',
    'climb',
    'climbed_cams',
    'climbed_maps',
    'discriminant',
    'doubt_histograms',
    'doubt_limits',
    'enlarge_label',
    'foreground_of',
    'histogram_power',
    'label_of_cam',
    'leave_open',
    'mix',
    'mixtures',
    'multi_scale_maps',
    'normalize_maps',
    'object_scores',
    'otsu_threshold',
    'resize_cam',
    'resize_images',
    'score_histogram',
    'seed',
    'spread_cam',
    'upsample',
    'walk_cam',
]
