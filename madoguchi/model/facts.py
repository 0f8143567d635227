"""Dataclasses that nobody changes: mypy sees to it, and making one costs a quarter.

A frozen dataclass pays for each field of each instance at run time. What the router tells and knows
is made a dozen times for every contact, so there the types alone forbid to change it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

__all__ = ["fact"]

if TYPE_CHECKING:
    from dataclasses import dataclass as fact
else:
    T = TypeVar("T")

    def fact(*, frozen: bool, slots: bool) -> Callable[[type[T]], type[T]]:
        """Return the decorator; used as `@fact(frozen=True, slots=True)`, which mypy reads."""
        return dataclass(slots=slots, eq=True, unsafe_hash=frozen)
