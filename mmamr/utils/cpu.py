"""What the processor can do."""

from functools import lru_cache

BFLOAT16 = {'avx512_bf16', 'amx_bf16'}
"""Features by which a processor multiplies in bfloat16 itself, as Linux calls them."""


@lru_cache
def has_fast_bfloat16(cpuinfo: str = '/proc/cpuinfo') -> bool:
    """Whether this processor is faster in bfloat16 than in float32; others only imitate it, slowly.

    Args:
        cpuinfo (str): Linux's description of the processor. Where there is none, the answer is no. Defaults to
            ``'/proc/cpuinfo'``.
    """
    try:
        with open(cpuinfo, encoding='utf-8', errors='replace') as file:
            return any(BFLOAT16 & set(line.split()) for line in file if line.startswith('flags'))
    except OSError:
        return False
