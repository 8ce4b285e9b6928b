"""The creatures: a body and legs that all kinds share, and a small face and tail that tell the kind.

Build and pose are drawn from the same distributions for every kind, and so is the fur of every other creature, so that
what is on the head and at the end of the tail is discriminative: about a quarter of the creature. A usual fur in the
other half is the weak hint that the rest of a body gives in photographs.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .canvas import Box, Canvas, Colour, Dice, Fill, Frame, darker, noise

CLASSES = ('bear', 'cat', 'deer', 'elephant', 'rabbit', 'ram', 'unicorn')

FURS: tuple[Colour, ...] = (
    (196, 148, 98),
    (150, 104, 72),
    (226, 196, 148),
    (168, 172, 184),
    (116, 120, 136),
    (236, 228, 216),
    (214, 138, 84),
    (128, 168, 160),
    (176, 150, 190),
    (222, 164, 160),
)
PATTERNS = ('plain', 'spots', 'stripes', 'patches')
USUAL_FURS: dict[str, tuple[Colour, str]] = dict(
    bear=(FURS[1], 'plain'),
    cat=(FURS[6], 'stripes'),
    deer=(FURS[0], 'spots'),
    elephant=(FURS[4], 'plain'),
    rabbit=(FURS[3], 'patches'),
    ram=(FURS[2], 'plain'),
    unicorn=(FURS[8], 'plain'),
)
USUAL_PERCENT = 50
"""How many of a hundred creatures have the usual fur of their kind; that of the others says nothing."""
DARK: Colour = (52, 44, 52)
PINK: Colour = (238, 160, 160)


class Fur:
    """Colour and pattern of a body.

    Args:
        dice (Dice): The source of chance.
        kind (str): One of :data:`CLASSES`.
        box (Box): The part of the canvas that it has to cover.
        cell (int): Size of the pattern in subpixels.
    """

    def __init__(self, dice: Dice, kind: str, box: Box, cell: int) -> None:
        colour, pattern = dice.choice(FURS), dice.choice(PATTERNS)
        if dice.chance(USUAL_PERCENT):
            colour, pattern = USUAL_FURS[kind]
        self.colour = dice.colour(colour)
        mark = dice.choice((DARK, (250, 246, 236), (120, 76, 52)))
        # A mark that mixes with the fur is softer to the eye than a plain one.
        self.mark = tuple((value + other) // 2 for value, other in zip(self.colour, mark))
        self.line = darker(self.colour, 7)
        height, width = box[0].stop - box[0].start, box[1].stop - box[1].start
        rough = noise(dice, height, width, cell if pattern != 'patches' else 3 * cell)
        if pattern == 'stripes':
            marked = (np.arange(width, dtype=np.int32)[None] + rough * cell // 160) % (2 * cell) < 3 * cell // 4
        else:
            marked = rough > {'plain': 255, 'spots': 168, 'patches': 140}[pattern]
        self._top, self._left = box[0].start, box[1].start
        self._colours = np.where(marked[..., None], np.array(self.mark, np.int32), np.array(self.colour, np.int32))

    def __call__(self, box: Box) -> np.ndarray:
        """Colours of a part of the canvas, of shape ``(h, w, 3)``."""
        return self._colours[
            box[0].start - self._top : box[0].stop - self._top, box[1].start - self._left : box[1].stop - self._left
        ]


class Pen(NamedTuple):
    """Paints for one owner with one outline."""

    canvas: Canvas
    owner: int
    line: Colour

    def outlined(self, shapes: list, fill: Fill) -> None:
        """Paint with the outline."""
        self.canvas.paint(shapes, fill, self.owner, line=self.line)

    def plain(self, shapes: list, fill: Fill) -> None:
        """Paint without an outline."""
        self.canvas.paint(shapes, fill, self.owner)


def _both(*shape_of: Callable[[int], list]) -> list:
    """Shapes of the left (-1) and the right (1) side."""
    return [shape for side in (-1, 1) for make in shape_of for shape in make(side)]


def _ears(head: Frame, *points: tuple[int, int, int]) -> list:
    """A chain of limbs on both sides of the head, given for the right one."""
    return _both(lambda side: head.chain(*((side * x, y, radius) for x, y, radius in points)))


def _eyes(pen: Pen, head: Frame, apart: int, y: int, radius: int = 15) -> None:
    """Two dark eyes, each with a spark of light."""
    pen.plain(_both(lambda side: [head.ellipse(side * apart, y, radius, radius + 3)]), (40, 34, 44))
    pen.plain(_both(lambda side: [head.ellipse(side * apart + 5, y - 7, 5, 5)]), (255, 255, 255))


# Heads are drawn in a frame whose origin is the middle of the head and whose 100 units are its radius.


def _bear(pen: Pen, head: Frame) -> Callable[[], None]:
    face = (136, 84, 48)
    pen.outlined(_both(lambda side: [head.ellipse(side * 74, -74, 42, 42)]), face)
    pen.plain(_both(lambda side: [head.ellipse(side * 74, -70, 24, 24)]), (206, 160, 112))

    def front() -> None:
        pen.plain([head.ellipse(0, 8, 90, 84)], face)
        pen.plain([head.ellipse(0, 42, 52, 40)], (226, 190, 146))
        pen.plain([head.ellipse(0, 24, 22, 15)], DARK)
        pen.plain([head.limb(0, 30, 4, 0, 58, 4)], DARK)
        _eyes(pen, head, 40, -14)

    return front


def _cat(pen: Pen, head: Frame) -> Callable[[], None]:
    face = (244, 158, 58)
    pen.outlined(_ears(head, (54, -50, 42), (84, -138, 7)), face)
    pen.plain(_ears(head, (60, -58, 20), (79, -118, 4)), PINK)

    def front() -> None:
        pen.plain([head.ellipse(0, 6, 94, 80)], face)
        pen.plain([head.limb(x, -72, 7, x, -36, 3) for x in (-26, 0, 26)], (160, 80, 24))
        pen.plain(_both(lambda side: [head.ellipse(side * 20, 44, 26, 22)]), (255, 240, 222))
        pen.plain([head.ellipse(0, 28, 12, 9)], (226, 104, 116))
        pen.plain(_both(lambda side: [head.limb(side * 40, y, 3, side * 122, 2 * y - 36, 3) for y in (34, 48)]), DARK)
        _eyes(pen, head, 42, -8, 17)

    return front


def _deer(pen: Pen, head: Frame) -> Callable[[], None]:
    face, antler = (190, 118, 66), (232, 206, 150)
    antlers = _ears(head, (34, -76, 14), (62, -150, 13), (44, -222, 9))
    tines = _ears(head, (60, -146, 11), (118, -196, 8)) + _ears(head, (50, -114, 10), (102, -128, 7))
    pen.outlined(antlers + tines, antler)
    pen.outlined(_ears(head, (76, -46, 28), (148, -62, 9)), face)

    def front() -> None:
        pen.plain([head.ellipse(0, 10, 76, 88)], face)
        pen.plain([head.ellipse(0, 62, 44, 34)], (248, 228, 200))
        pen.plain([head.ellipse(0, 50, 22, 16)], DARK)
        _eyes(pen, head, 46, -8)

    return front


def _elephant(pen: Pen, head: Frame) -> Callable[[], None]:
    face = (126, 142, 176)
    pen.outlined(_both(lambda side: [head.ellipse(side * 116, -14, 68, 86)]), face)
    pen.plain(_both(lambda side: [head.ellipse(side * 120, -10, 46, 62)]), (198, 164, 178))

    def front() -> None:
        pen.plain([head.ellipse(0, 0, 88, 90)], face)
        pen.outlined(_ears(head, (38, 58, 12), (56, 112, 6)), (252, 248, 232))
        pen.outlined(head.chain((0, 24, 32), (4, 108, 24), (22, 160, 19), (62, 172, 15)), face)
        _eyes(pen, head, 46, -18)

    return front


def _rabbit(pen: Pen, head: Frame) -> Callable[[], None]:
    face = (244, 240, 240)
    pen.outlined(_ears(head, (36, -70, 26), (58, -150, 33), (70, -226, 18)), face)
    pen.plain(_ears(head, (42, -92, 12), (58, -152, 17), (68, -212, 8)), PINK)

    def front() -> None:
        pen.plain([head.ellipse(0, 10, 88, 82)], face)
        pen.plain(_both(lambda side: [head.ellipse(side * 58, 34, 20, 14)]), PINK)
        pen.plain([head.ellipse(0, 26, 14, 10)], (232, 110, 130))
        pen.plain(_both(lambda side: [head.limb(side * 7, 50, 8, side * 7, 68, 8)]), (255, 255, 250))
        _eyes(pen, head, 38, -10)

    return front


def _ram(pen: Pen, head: Frame) -> Callable[[], None]:
    face, horn = (74, 62, 72), (218, 182, 122)
    pen.outlined([head.ellipse(x, y, 34, 34) for x, y in ((-44, -78), (0, -94), (44, -78))], (250, 242, 222))

    def front() -> None:
        pen.plain([head.ellipse(0, 16, 70, 88)], face)
        pen.outlined(_ears(head, (60, -72, 34), (128, -78, 32), (168, -20, 27), (140, 40, 20), (98, 30, 13)), horn)
        pen.plain(
            _ears(head, (92, -98, 5), (96, -52, 5))
            + _ears(head, (182, -58, 5), (136, -42, 5))
            + _ears(head, (176, 10, 4), (136, 4, 4)),
            (150, 112, 66),
        )
        pen.plain(_both(lambda side: [head.ellipse(side * 34, -6, 20, 20)]), (250, 242, 222))
        _eyes(pen, head, 34, -4, 12)
        pen.plain(_both(lambda side: [head.limb(side * 5, 78, 5, side * 18, 66, 5)]), (220, 150, 150))

    return front


def _unicorn(pen: Pen, head: Frame) -> Callable[[], None]:
    face, mane = (250, 240, 250), (236, 110, 176)
    pen.outlined(head.chain((-20, -84, 38), (-88, -34, 40), (-98, 40, 34), (-80, 104, 16)), mane)
    pen.outlined(_ears(head, (58, -70, 24), (78, -126, 6)), face)

    def front() -> None:
        pen.plain([head.ellipse(4, 10, 84, 88)], face)
        pen.plain(head.chain((-60, -68, 26), (6, -72, 28), (38, -48, 8)), mane)
        pen.outlined([head.limb(4, -84, 24, 12, -222, 3)], (255, 210, 74))
        pen.plain(
            [head.limb(-18, y, 4, 26, y - 16, 4) for y in (-98, -128)] + [head.limb(-6, -158, 4, 22, -170, 4)],
            (214, 150, 40),
        )
        pen.plain([head.ellipse(6, 60, 44, 30)], (246, 200, 220))
        pen.plain(_both(lambda side: [head.ellipse(6 + side * 16, 58, 5, 7)]), (180, 96, 130))
        _eyes(pen, head, 42, -4)

    return front


HEADS: dict[str, Callable[[Pen, Frame], Callable[[], None]]] = dict(
    bear=_bear, cat=_cat, deer=_deer, elephant=_elephant, rabbit=_rabbit, ram=_ram, unicorn=_unicorn
)
"""Each paints what is behind the head and returns the function that paints what is in front of it."""


def _tail(pen: Pen, fur: Fur, kind: str, at: Frame, lift: int) -> None:
    """The tail, its end in the colour of the face; ``at`` is where it grows, ``lift`` how high it is held."""
    if kind == 'bear':
        pen.outlined([at.ellipse(-8, -6, 22, 20)], (136, 84, 48))
    elif kind == 'cat':
        pen.outlined(at.chain((0, 0, 13), (-46, -20 - lift, 12), (-58, -70 - lift, 11)), fur)
        pen.outlined(at.chain((-58, -66 - lift, 12), (-34, -104 - lift, 13)), (244, 158, 58))
    elif kind == 'deer':
        pen.outlined([at.limb(0, 0, 14, -26, -24 - lift // 2, 8)], (248, 228, 200))
    elif kind == 'elephant':
        pen.outlined(at.chain((0, 0, 8), (-30, 20 - lift, 6), (-40, 60 - lift, 5)), fur)
        pen.outlined([at.limb(-40, 58 - lift, 8, -44, 84 - lift, 14)], (126, 142, 176))
    elif kind == 'rabbit':
        pen.outlined([at.ellipse(-10, -8, 27, 26)], (244, 240, 240))
    elif kind == 'ram':
        pen.outlined([at.limb(2, 0, 18, -24, 34 - lift // 2, 14)], (250, 242, 222))
    else:
        flow = at.chain((0, -4, 14), (-48, -8 - lift, 22), (-74, 50 - lift, 18), (-92, 92 - lift, 6))
        pen.outlined(flow, (236, 110, 176))


class Creature:
    """One creature at one place, with all that chance decides.

    Args:
        dice (Dice): The source of chance.
        kind (str): One of :data:`CLASSES`.
        x (int): Column of the middle of the body, in subpixels.
        y (int): Row on which the feet stand, in subpixels.
        scale (int): Half the length of the body, in subpixels.
    """

    def __init__(self, dice: Dice, kind: str, x: int, y: int, scale: int) -> None:
        self.kind = kind
        self.feet = y
        self.leg = dice.integer(50, 76)
        self.waist = dice.integer(46, 62)
        self.pose = dice.choice(('standing', 'walking', 'grazing', 'looking up', 'lying'))
        self.swing = {'walking': dice.integer(16, 30)}.get(self.pose, dice.integer(-6, 6))
        if self.pose == 'lying':
            self.leg = 12
        self.lift = dice.integer(-10, 26)
        frame = Frame(x, y, scale, dice.choice((-1, 1)))
        # The origin of the body's frame is its middle.
        self.frame = frame._replace(y=frame.at(0, -self.leg - self.waist)[1])
        head_x, head_y = {
            'grazing': (dice.integer(126, 144), dice.integer(10, 40)),
            'looking up': (dice.integer(84, 108), dice.integer(-112, -92)),
        }.get(self.pose, (dice.integer(104, 130), dice.integer(-84, -50)))
        self.head = self.frame.child(head_x, head_y, dice.integer(48, 56), dice.integer(-12, 12))
        self.neck = (head_x, head_y)

    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of the creature in subpixels, roughly."""
        xs = sorted((self.frame.at(-130, 0)[0], self.frame.at(self.neck[0] + 60, 0)[0]))
        return xs[0], self.head_box()[1], xs[1], self.frame.at(0, self.leg + self.waist)[1]

    def head_box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of the head with what is on it, in subpixels, roughly."""
        x, y, radius = self.head.x, self.head.y, self.head.length(100)
        return x - 3 * radius // 2, y - 2 * radius, x + 3 * radius // 2, y + radius

    def _legs(self, xs: tuple[int, int], swing: int) -> list:
        """Two legs that hang from the body's underside; lying creatures fold them forward."""
        top, bottom = self.waist // 2, self.waist + self.leg - 12
        if self.pose == 'lying':
            return [
                leg for x in xs for leg in self.frame.chain((x, top, 20), (x + 10, bottom, 15), (x + 46, bottom, 13))
            ]
        return [
            leg
            for x, lean in zip(xs, (swing, -swing))
            for leg in self.frame.chain((x, top, 22), (x + lean, bottom, 14), (x + lean + 8, bottom, 13))
        ]

    def draw(self, dice: Dice, canvas: Canvas, owner: int) -> None:
        """Paint the creature.

        Args:
            dice (Dice): The source of chance.
            canvas (Canvas): Where to paint.
            owner (int): The number of the creature on the canvas.
        """
        frame, ground = self.frame, self.leg + self.waist
        canvas.shade(frame.ellipse(4, ground - 2, 122, 20), 120)
        waist = self.waist
        body = [frame.ellipse(0, 0, 100, waist), frame.ellipse(-54, 2, 46, waist - 2), frame.ellipse(52, -4, 48, waist)]
        neck = [frame.limb(62, -12, 44, *self.neck, 34)]
        near, far = self._legs((-66, 62), self.swing), self._legs((-42, 84), -self.swing)
        skull = [self.head.ellipse(0, 0, 100, 94)]
        box = canvas.box([*body, *neck, *near, *far, *skull, frame.ellipse(0, 0, 190, 190)], grow=4)
        if box is None:
            return
        fur = Fur(dice, self.kind, box, frame.length(dice.integer(18, 26)))
        pen = Pen(canvas, owner, fur.line)
        shaded = darker(fur.colour, 11)
        pen.outlined(far, shaded)
        _tail(pen, fur, self.kind, frame.child(-94, -16, 100), self.lift)
        pen.outlined(body + neck, fur)
        pen.outlined(near, fur)
        front = HEADS[self.kind](pen, self.head)
        pen.outlined(skull, fur.colour)
        front()
