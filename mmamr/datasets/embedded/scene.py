"""One picture of the embedded data set: image, mask and the objects in it."""

from typing import NamedTuple

import numpy as np

from .canvas import Canvas, Dice, Frame
from .creatures import CLASSES, Creature
from .scenery import PLACES, THINGS, draw_place

SIZES = ((96, 128), (112, 112), (128, 96), (100, 124))
"""Height and width of the pictures; not all of them are multiples of a network's stride."""

BORDER = 255


class SceneObject(NamedTuple):
    """An object that can be seen in a picture.

    Args:
        name (str): Its class.
        box (tuple[int, int, int, int]): xmin, ymin, xmax, ymax in pixels, all included, counted from 0.
        truncated (bool): Whether it touches the edge of the picture.
        difficult (bool): Whether more than a third of it is hidden.
    """

    name: str
    box: tuple[int, int, int, int]
    truncated: bool
    difficult: bool


class Scene(NamedTuple):
    """A picture.

    Args:
        image (np.ndarray): RGB, uint8 of shape ``(H, W, 3)``.
        mask (np.ndarray): uint8 of shape ``(H, W)``: 0 background, 1 + index in :data:`CLASSES`, 255 border.
        objects (list[SceneObject]): What can be seen.
    """

    image: np.ndarray
    mask: np.ndarray
    objects: list[SceneObject]


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> int:
    """How many percent of box ``one`` lie under box ``other``."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return 100 * max(0, width) * max(0, height) // ((one[2] - one[0]) * (one[3] - one[1]))


def _place_creatures(dice: Dice, canvas: Canvas, horizon: int) -> list[Creature]:
    """Choose creatures from back to front so that every head can be seen."""
    wanted = dice.choice((1, 1, 1, 2, 2, 2, 3))
    smallest, largest = {1: (23, 35), 2: (19, 28), 3: (15, 22)}[wanted]
    creatures: list[Creature] = []
    attempts = 0
    while len(creatures) < wanted and not (creatures and attempts >= 12 * wanted):
        attempts += 1
        scale = min(canvas.height, canvas.width) * dice.integer(smallest, largest) // 100
        margin = scale // 8
        lowest = canvas.height + margin
        feet = dice.integer(min(lowest, max(horizon + 2 * margin, creatures[-1].feet if creatures else 0)), lowest)
        middle = dice.integer(scale * 3 // 4, canvas.width - scale * 3 // 4)
        creature = Creature(dice, dice.choice(CLASSES), middle, feet, scale)
        left, top, right, _ = creature.head_box()
        if left < -margin or top < -margin or right > canvas.width + margin:
            continue
        if not any(
            _overlap(other.head_box(), creature.box()) > 8 or _overlap(other.box(), creature.box()) > 42
            for other in creatures
        ):
            creatures.append(creature)
    return creatures


def draw_scene(*seed: int, border: bool = True) -> Scene:
    """Draw the picture of a seed.

    Args:
        *seed (int): Any number of non-negative integers; the same ones give the same pixels on every machine.
        border (bool): Whether the pixels that an object shares with anything else are 255, as the objects' borders are
            in PASCAL VOC. Otherwise they belong to what is in their middle. Defaults to True.

    Returns:
        Scene: The picture with its mask and objects.
    """
    dice = Dice(*seed)
    canvas = Canvas(*dice.choice(SIZES))
    place = dice.choice(PLACES)
    horizon = canvas.height * dice.integer(28, 58) // 100
    draw_place(dice, canvas, place, horizon)
    for y in sorted(dice.integer(horizon, canvas.height * 3 // 4) for _ in range(dice.integer(2, 7))):
        scale = min(canvas.height, canvas.width) * dice.integer(10, 20) // 100
        frame = Frame(dice.integer(0, canvas.width), y, scale, dice.choice((-1, 1)))
        THINGS[dice.choice(place.things)](dice, canvas, frame)

    creatures = _place_creatures(dice, canvas, horizon)
    heads = [creature.head_box() for creature in creatures]
    areas = []
    for number, creature in enumerate(creatures, 1):
        creature.draw(dice, canvas, number)
        areas.append(int(np.count_nonzero(canvas.owner == number)))
        if dice.chance(40):
            # Clutter before the creature: it hides a part of the body, never a head.
            frame = creature.frame.child(
                dice.integer(-110, 60), creature.leg + creature.waist + dice.integer(4, 14), dice.integer(50, 90)
            )
            hidden = (frame.x - frame.scale, frame.y - 2 * frame.scale, frame.x + frame.scale, frame.y)
            if not any(_overlap(head, hidden) for head in heads):
                THINGS[dice.choice(place.things)](dice, canvas, frame)
    return _finish(canvas, creatures, areas, border)


def _finish(canvas: Canvas, creatures: list[Creature], areas: list[int], border: bool) -> Scene:
    """Read image, mask and objects off the canvas; ``areas`` are what the creatures covered before others hid them."""
    owner, shared = canvas.owners()
    mask = np.array([0] + [1 + CLASSES.index(creature.kind) for creature in creatures], dtype=np.uint8)[owner]
    if border:
        mask[shared] = BORDER
    objects = []
    for number, (creature, area) in enumerate(zip(creatures, areas), 1):
        ys, xs = np.nonzero(owner == number)
        box = (int(xs.min()), int(ys.min()), int(xs.max()), int(ys.max()))
        truncated = box[0] == 0 or box[1] == 0 or box[2] == owner.shape[1] - 1 or box[3] == owner.shape[0] - 1
        difficult = bool(100 * np.count_nonzero(canvas.owner == number) < 65 * area)
        objects.append(SceneObject(creature.kind, box, truncated, difficult))
    return Scene(canvas.pixels(), mask, objects)
