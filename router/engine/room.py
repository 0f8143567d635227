"""What an agent still has room for, and what an item asks of it."""

from __future__ import annotations

from typing import NamedTuple


class Room(NamedTuple):
    """What an agent still has room for; agents with equal rooms can take the same shapes.

    `beside`: for each channel that may interrupt others, its own (channel, free, empty).
    """

    free: int
    empty: bool
    full: frozenset[str]
    beside: tuple[tuple[str, int, bool], ...] = ()


class Shape(NamedTuple):
    """What an item asks of an agent's room."""

    channel: str
    weight: int
    exclusive: bool


def fits(shape: Shape, room: Room) -> bool:
    """Return whether an item of this shape fits into a room."""
    channel, weight, exclusive = shape
    free, empty, full, beside = room
    for name, units, alone in beside:
        if name == channel:
            free, empty = units, alone
    if weight > free or (exclusive and not empty):
        return False
    return not full or channel not in full
