from .mean_displacement import MeanDisplacementHook

__all__ = ['MeanDisplacementHook']
