from .same_size_batch_sampler import SameSizeBatchSampler

__all__ = ['SameSizeBatchSampler']
