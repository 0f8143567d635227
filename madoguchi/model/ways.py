"""Ways from one thing to the next that may lead back to where they began."""

from collections.abc import Callable, Iterable


def way_round(start: str, ahead: Callable[[str], Iterable[str]]) -> list[str]:
    """Return a way from a place back to itself, both ends included; empty if there is none.

    ``ahead`` says where one can go from a place.
    """
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for place in ahead(way[-1]):
            if place == start:
                return [*way, start]
            if place not in seen:
                seen.add(place)
                ways.append([*way, place])
    return []


def reachable(start: str, ahead: Callable[[str], Iterable[str]]) -> set[str]:
    """Return every place that one can come to from a place, itself included."""
    found, left = {start}, [start]
    while left:
        new = set(ahead(left.pop())) - found
        found |= new
        left += new
    return found
