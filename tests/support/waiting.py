"""Waiting for a condition with a deadline, without sleeping."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

PATIENCE_S = 30.0
"""Nobody waits so long: it is what a machine under load may need, and the end of a broken test."""


def _late(what: str, seconds: float) -> AssertionError:
    return AssertionError(f"not within {seconds:g} s: {what}")


@overload
async def wait_for(
    condition: Callable[[], Awaitable[T | None]],
    what: str = ...,
    *,
    within: float = ...,
    every: float = ...,
) -> T: ...
@overload
async def wait_for(
    condition: Callable[[], T | None], what: str = ..., *, within: float = ..., every: float = ...
) -> T: ...
async def wait_for(
    condition: Callable[[], T | Awaitable[T | None] | None],
    what: str = "the condition",
    *,
    within: float = PATIENCE_S,
    every: float = 0.01,
) -> T:
    """Return the first true value of ``condition`` (plain or async).

    Asks every ``every`` seconds; raises AssertionError naming ``what`` after ``within`` seconds.
    """
    never = asyncio.Event()
    deadline = time.monotonic() + within
    while True:
        answer = condition()
        value = await answer if isinstance(answer, Awaitable) else answer
        if value:
            return value
        if time.monotonic() >= deadline:
            raise _late(what, within)
        try:
            await asyncio.wait_for(never.wait(), every)
        except TimeoutError:
            continue


def wait_for_blocking(
    condition: Callable[[], T],
    what: str = "the condition",
    *,
    within: float = PATIENCE_S,
    every: float = 0.02,
) -> T:
    """Do the same as :func:`wait_for` where no event loop runs."""
    never = threading.Event()
    deadline = time.monotonic() + within
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise _late(what, within)
        never.wait(every)
    return value
