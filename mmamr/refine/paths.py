"""Which pixels form a pair within a radius, and the straight path between the two.

IRNet (Ahn et al., CVPR 2019) takes the affinity of two pixels from the strongest edge on the line between them. Pairs
and lines depend on the radius only: they are offsets, the same at every pixel.
"""

from functools import cache
from numbers import Integral

from mmamr.utils import SettingError

__all__ = ['displacements', 'path']


@cache
def displacements(radius: int) -> tuple[tuple[int, int], ...]:
    """Displacements from a pixel to its partners, one of each pair ``±(dy, dx)``.

    They fill the half plane ``dy > 0``, or ``dy == 0`` and ``dx > 0``, of the open disc ``dy² + dx² < radius²``. The
    other half follows by symmetry. A radius of 1 has none.

    Args:
        radius (int): Radius in pixels of the map.

    Returns:
        tuple[tuple[int, int], ...]: ``(dy, dx)`` in row-major order.

    Raises:
        ValueError: If ``radius`` is no whole number of at least 1.
    """
    if not isinstance(radius, Integral) or radius < 1:
        raise SettingError(f'radius must be a whole number of at least 1, got {radius}')
    return tuple(
        (dy, dx)
        for dy in range(radius)
        for dx in range(1 - radius, radius)
        if (dy, dx) > (0, 0) and dy * dy + dx * dx < radius * radius
    )


@cache
def path(dy: int, dx: int) -> tuple[tuple[int, int], ...]:
    """Pixels on the way from ``(0, 0)`` to ``(dy, dx)``, both ends included.

    A pixel belongs to the path if it lies in the box that the two ends span, less than one pixel from the line through
    them.

    Args:
        dy (int): Rows down.
        dx (int): Columns to the right.

    Returns:
        tuple[tuple[int, int], ...]: Offsets ``(y, x)`` from the start, in row-major order.
    """
    length_squared = dy * dy + dx * dx
    rows = range(min(dy, 0), max(dy, 0) + 1)
    columns = range(min(dx, 0), max(dx, 0) + 1)
    # |dy x - dx y| / length is the distance to the line; squared and multiplied out it stays in whole numbers.
    return tuple((y, x) for y in rows for x in columns if (dy * x - dx * y) ** 2 < length_squared or (dy, dx) == (0, 0))
