from .amm_neck import AMMNeck

__all__ = ['AMMNeck']
