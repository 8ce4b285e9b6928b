"""What stands around the creatures: places with sky and ground, and clutter behind and before them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .canvas import Canvas, Colour, Dice, Frame, darker, noise


class Place(NamedTuple):
    """Colours of a place, from top to bottom, and what stands there."""

    sky: tuple[Colour, Colour]
    ground: tuple[Colour, Colour]
    hill: Colour
    things: tuple[str, ...]


PLACES: tuple[Place, ...] = (
    Place(
        ((128, 186, 230), (214, 234, 242)),
        ((142, 190, 96), (94, 150, 72)),
        (120, 168, 110),
        ('tree', 'bush', 'flower', 'rock', 'fence'),
    ),
    Place(
        ((250, 200, 150), (252, 232, 190)),
        ((226, 190, 128), (196, 148, 90)),
        (208, 160, 110),
        ('cactus', 'rock', 'bush'),
    ),
    Place(
        ((176, 200, 224), (226, 236, 244)),
        ((236, 242, 248), (196, 212, 228)),
        (206, 220, 232),
        ('fir', 'rock', 'fence'),
    ),
    Place(
        ((70, 84, 138), (150, 140, 180)),
        ((78, 110, 100), (50, 80, 80)),
        (72, 96, 112),
        ('fir', 'mushroom', 'bush', 'rock'),
    ),
    Place(
        ((120, 168, 140), (170, 200, 150)),
        ((120, 136, 78), (92, 96, 58)),
        (88, 140, 98),
        ('tree', 'fir', 'mushroom', 'flower', 'bush'),
    ),
    Place(
        ((150, 214, 226), (226, 244, 236)),
        ((240, 222, 176), (222, 196, 146)),
        (116, 188, 204),
        ('palm', 'rock', 'ball'),
    ),
)


def draw_place(dice: Dice, canvas: Canvas, place: Place, horizon: int) -> None:
    """Fill the canvas with sky, hills and ground.

    Args:
        dice (Dice): The source of chance.
        canvas (Canvas): Where to paint.
        place (Place): The place.
        horizon (int): Row where the ground begins, in subpixels.
    """
    _wash(dice, canvas.rgb[:horizon], place.sky, cell=96, rough=24)
    _wash(dice, canvas.rgb[horizon:], place.ground, cell=28, rough=40)
    for _ in range(dice.integer(0, 3)):
        x, y = dice.integer(0, canvas.width), dice.integer(0, horizon * 2 // 3)
        _cloud(dice, canvas, Frame(x, y, canvas.width * dice.integer(8, 16) // 100))
    hill = dice.colour(place.hill)
    for _ in range(dice.integer(0, 3)):
        frame = Frame(dice.integer(0, canvas.width), horizon, canvas.height)
        # Hills stand behind the ground: only what rises over the horizon is painted.
        ground = canvas.rgb[horizon:].copy()
        canvas.paint([frame.ellipse(0, 0, dice.integer(16, 44), dice.integer(6, 18))], hill, light=40)
        canvas.rgb[horizon:] = ground


def _wash(dice: Dice, plane: np.ndarray, colours: tuple[Colour, Colour], cell: int, rough: int) -> None:
    """Fill ``plane`` with a gradient between two colours and a texture of the size ``cell`` and strength ``rough``."""
    height, width = plane.shape[:2]
    share = (np.arange(height, dtype=np.int32) * 256 // height)[:, None, None]
    top, bottom = (np.array(dice.colour(colour), np.int32) for colour in colours)
    texture = noise(dice, height, width, cell) + noise(dice, height, width, cell // 4) // 2
    light = 256 + (texture - 192) * rough // 256
    plane[:] = np.minimum(255, (top * (256 - share) + bottom * share >> 8) * light[..., None] >> 8)


def _cloud(dice: Dice, canvas: Canvas, frame: Frame) -> None:
    puffs = [frame.ellipse(dice.integer(-60, 60), dice.integer(-14, 8), dice.integer(28, 44), 22) for _ in range(4)]
    canvas.paint(puffs, (246, 248, 252), light=40)


# Things are drawn in a frame that stands on the ground: y goes from 0 to about -200.


def _tree(dice: Dice, canvas: Canvas, frame: Frame) -> None:
    leaves = dice.colour(dice.choice(((92, 150, 76), (120, 160, 70), (206, 140, 62))))
    canvas.paint([frame.limb(0, 0, 16, 0, -110, 11)], dice.colour((128, 92, 64)), line=(70, 50, 40))
    crown = [frame.ellipse(dice.integer(-44, 44), -dice.integer(110, 190), 46, 42) for _ in range(5)]
    canvas.paint(crown, leaves, line=darker(leaves, 8))


def _fir(dice: Dice, canvas: Canvas, frame: Frame) -> None:
    leaves = dice.colour((64, 118, 96))
    canvas.paint([frame.limb(0, 0, 10, 0, -40, 10)], (110, 80, 60), line=(64, 46, 40))
    for bottom in (40, 84, 128):
        canvas.paint([frame.limb(0, -bottom, 62 - bottom // 4, 0, -bottom - 78, 3)], leaves, line=(30, 62, 56))


def _bush(dice: Dice, canvas: Canvas, frame: Frame) -> None:
    leaves = dice.colour(dice.choice(((104, 156, 84), (76, 128, 92), (150, 164, 80))))
    tufts = [(dice.integer(-56, 56), -dice.integer(8, 46)) for _ in range(6)]
    canvas.paint([frame.ellipse(x, y, 34, 32) for x, y in tufts], leaves, line=darker(leaves, 8))
    if dice.chance(50):
        berry = dice.choice(((214, 70, 80), (240, 220, 240)))
        berries = [frame.ellipse(x + dice.integer(-12, 12), y + dice.integer(-12, 12), 7, 7) for x, y in tufts]
        canvas.paint(berries, berry)


def _flower(dice: Dice, canvas: Canvas, frame: Frame) -> None:
    petal = dice.choice(((240, 120, 150), (250, 214, 90), (250, 250, 250), (150, 130, 220), (236, 96, 80)))
    for _ in range(dice.integer(1, 4)):
        x, y = dice.integer(-60, 60), -dice.integer(34, 70)
        canvas.paint([frame.limb(x, 0, 4, x, y, 4)], (86, 140, 70))
        petals = [frame.ellipse(x + dx, y + dy, 11, 11) for dx, dy in ((-11, 0), (11, 0), (0, -11), (0, 11))]
        canvas.paint(petals, petal)
        canvas.paint([frame.ellipse(x, y, 8, 8)], (250, 200, 80))


def _rock(dice: Dice, canvas: Canvas, frame: Frame) -> None:
    grey = dice.colour(dice.choice(((150, 148, 150), (172, 152, 132), (120, 128, 142))))
    stones = [
        frame.ellipse(dice.integer(-40, 40), -dice.integer(0, 18), dice.integer(26, 50), dice.integer(20, 36))
        for _ in range(2)
    ]
    canvas.paint(stones, grey, line=darker(grey, 8))


def _fence(dice: Dice, canvas: Canvas, frame: Frame) -> None:
    wood = dice.colour(dice.choice(((178, 132, 88), (232, 226, 214), (150, 120, 100))))
    line = darker(wood, 8)
    canvas.paint([frame.limb(-96, y, 7, 96, y, 7) for y in (-30, -62)], wood, line=line)
    canvas.paint([frame.limb(x, 0, 9, x, -86, 9) for x in (-84, -28, 28, 84)], wood, line=line)


def _mushroom(dice: Dice, canvas: Canvas, frame: Frame) -> None:
    cap = dice.choice(((214, 66, 60), (190, 140, 90), (150, 110, 180)))
    for _ in range(dice.integer(1, 3)):
        x, size = dice.integer(-60, 60), dice.integer(14, 30)
        canvas.paint([frame.limb(x, 0, size // 2, x, -size, size // 3)], (240, 230, 210), line=(120, 110, 100))
        canvas.paint([frame.ellipse(x, -size - 8, size, size * 2 // 3)], cap, line=darker(cap, 8))
        dots = [frame.ellipse(x + dx, -size - dy, 5, 4) for dx, dy in ((-9, 8), (2, 16), (10, 9))]
        canvas.paint(dots, (250, 244, 236))


def _cactus(dice: Dice, canvas: Canvas, frame: Frame) -> None:
    green = dice.colour((96, 150, 96))
    canvas.paint(
        frame.chain((0, 0, 20), (0, -140, 18))
        + frame.chain((0, -50, 12), (46, -60, 12), (48, -104, 11))
        + frame.chain((0, -76, 12), (-42, -84, 12), (-44, -120, 10)),
        green,
        line=(46, 84, 56),
    )


def _palm(dice: Dice, canvas: Canvas, frame: Frame) -> None:
    canvas.paint(frame.chain((0, 0, 13), (14, -80, 10), (8, -160, 8)), dice.colour((164, 122, 82)), line=(90, 64, 44))
    for x, y in ((-84, -150), (84, -146), (-60, -204), (66, -206), (-70, -112), (72, -108)):
        leaf = frame.chain((8, -164, 12), ((8 + x) * 2 // 3, (y - 180) // 2, 13), (x, y, 3))
        canvas.paint(leaf, (94, 156, 88), line=(44, 86, 52))


def _ball(dice: Dice, canvas: Canvas, frame: Frame) -> None:
    colour = dice.choice(((226, 80, 80), (80, 130, 210), (250, 200, 70)))
    canvas.paint([frame.ellipse(0, -30, 32, 32)], colour, line=(80, 60, 70))
    canvas.paint([frame.limb(-20, -30, 6, 20, -30, 6)], (250, 250, 250))


THINGS: dict[str, Callable[[Dice, Canvas, Frame], None]] = dict(
    tree=_tree,
    fir=_fir,
    bush=_bush,
    flower=_flower,
    rock=_rock,
    fence=_fence,
    mushroom=_mushroom,
    cactus=_cactus,
    palm=_palm,
    ball=_ball,
)
