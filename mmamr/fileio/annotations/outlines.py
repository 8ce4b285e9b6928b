"""Outlines of the regions of a mask, as polygons that run along the borders of pixels."""

from collections import defaultdict

import cv2
import numpy as np


def pieces_of(region: np.ndarray) -> list[tuple[np.ndarray, int, int]]:
    """The pieces of a region, from the largest to the smallest: pixels that hang together by their sides.

    Args:
        region (np.ndarray): bool ``(H, W)``.

    Returns:
        list[tuple[np.ndarray, int, int]]: Each cut to its own size, with the column and the row where it begins.
    """
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=4)
    found = []
    for piece in sorted(range(1, count), key=lambda piece: -stats[piece, cv2.CC_STAT_AREA]):
        left, top, width, height = (int(value) for value in stats[piece, :4])
        found.append((pieces[top : top + height, left : left + width] == piece, left, top))
    return found


def polygon_of(piece: np.ndarray, tolerance: float = 1.0) -> np.ndarray:
    """One piece as one polygon.

    Pixel ``(x, y)`` covers ``[x, x + 1] × [y, y + 1]``. A hole is cut out by a slit: the polygon runs from its outline
    to the hole, round it the other way, and back on the same line, so that every program that fills by the even-odd or
    the non-zero rule leaves the hole empty.

    Args:
        piece (np.ndarray): bool ``(H, W)``, from :func:`pieces_of`.
        tolerance (float): How far in pixels a simplified outline may lie from the exact one; 0 keeps the steps of the
            pixels, and the piece exactly. Defaults to 1.

    Returns:
        np.ndarray: float64 ``(N, 2)`` of x and y.
    """
    rings = [simplify(ring, tolerance) for ring in trace(piece)]
    outer = max(rings, key=lambda ring: abs(signed_area(ring)))
    return cut_out(outer, [ring for ring in rings if ring is not outer])


def trace(region: np.ndarray) -> list[np.ndarray]:
    """The borders of a region as closed rings of corners, outlines clockwise on the screen and holes against it.

    Args:
        region (np.ndarray): bool ``(H, W)``.

    Returns:
        list[np.ndarray]: int64 ``(N, 2)`` of x and y each.
    """
    ways = _ways(region)
    rings = []
    while ways:
        start = next(iter(ways))
        ring, here, heading = [], start, None
        while True:
            out = ways[here]
            # where two pieces meet at a corner only, the right turn stays with one's own
            turn = 0 if heading is None else next((i for i, to in enumerate(out) if _is_right(heading, here, to)), 0)
            there = out.pop(turn)
            if not out:
                del ways[here]
            ring.append(here)
            heading = (there[0] - here[0], there[1] - here[1])
            here = there
            if here == start and (start not in ways or _closed(heading, ring)):
                break
        rings.append(np.array(ring))
    return rings


def _is_right(heading: tuple[int, int], here: tuple[int, int], there: tuple[int, int]) -> bool:
    """Whether going on from here to there turns right, with y downwards."""
    return heading[0] * (there[1] - here[1]) - heading[1] * (there[0] - here[0]) > 0


def _closed(heading: tuple[int, int], ring: list[tuple[int, int]]) -> bool:
    """Whether the first way of a ring is the right turn from its last."""
    return len(ring) > 1 and _is_right(heading, ring[0], ring[1])


def _ways(region: np.ndarray) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Straight pieces of border, the region on their right: where each starts, and where it ends."""
    padded = np.pad(region, 1).astype(np.int8)
    ways: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    # rows between pixels: the region below is passed to the right; columns: the region to the right is passed upwards
    for flat, (along, across) in (
        (np.diff(padded, axis=0)[:, 1:-1], (0, 1)),
        (np.diff(padded, axis=1)[1:-1].T, (1, 0)),
    ):
        for line, signs in enumerate(flat):
            if not signs.any():
                continue
            edges = np.flatnonzero(np.diff(signs, prepend=0, append=0))
            for first, last in zip(edges[:-1].tolist(), edges[1:].tolist()):
                sign = int(signs[first])
                if sign == 0:
                    continue
                ends = [[0, 0], [0, 0]]
                for end, place in zip(ends, (first, last)):
                    end[along], end[across] = place, line
                if (sign > 0) != (along == 0):
                    ends.reverse()
                ways[(ends[0][0], ends[0][1])].append((ends[1][0], ends[1][1]))
    return dict(ways)


def simplify(ring: np.ndarray, tolerance: float) -> np.ndarray:
    """A ring with fewer corners, nowhere farther than ``tolerance`` pixels from what it was; one of three at least."""
    if tolerance <= 0 or len(ring) <= 4:
        return ring
    fewer = cv2.approxPolyDP(ring.astype(np.float32)[:, None], tolerance, closed=True)[:, 0]
    return fewer if len(fewer) >= 3 else ring


def signed_area(ring: np.ndarray) -> float:
    """Area of a ring in pixels; positive where it runs clockwise on the screen."""
    x, y = ring[:, 0].astype(np.float64), ring[:, 1].astype(np.float64)
    return float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y)) / 2


def cut_out(outer: np.ndarray, holes: list[np.ndarray]) -> np.ndarray:
    """One polygon of an outline and its holes, each tied to it by a slit between the two nearest corners."""
    polygon = outer.astype(np.float64)
    waiting = [hole.astype(np.float64) for hole in holes]
    while waiting:
        gaps = [((polygon[:, None] - hole[None]) ** 2).sum(2) for hole in waiting]
        nearest = min(range(len(waiting)), key=lambda index: gaps[index].min())
        hole, gap = waiting.pop(nearest), gaps[nearest]
        at, to = np.unravel_index(gap.argmin(), gap.shape)
        loop = np.roll(hole, -int(to), axis=0)
        polygon = np.concatenate([polygon[: at + 1], loop, loop[:1], polygon[at:]])
    return polygon
