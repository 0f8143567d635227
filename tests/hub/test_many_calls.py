"""A hundred calls at once: whatever order callbacks come in, and how often, each call comes to the
same.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from madoguchi.conversations.calls.tables import call, call_event
from tests.hub.test_opening_hours import rows
from tests.hub.test_phone_call import FLOW
from tests.support.hubs import NUMBER
from tests.support.telephones import Telephones, telephones
from tests.support.waiting import wait_for

MANY = 100
ENDS = ("menu", "queue", "message", "callback", "chat")
"""How far a caller gets; then they hang up, or the flow lets them go."""


async def one_call(center: Telephones, number: int) -> None:
    """Let one person call, choose, and hang up."""
    phone = center.phone(f"+8190555{number:05d}")
    phone.dial(NUMBER)
    await phone.hear()
    end = ENDS[number % len(ENDS)]
    if end == "queue":
        await phone.press("1")
        await phone.hear()
    elif end == "message":
        await phone.press("2")
        await phone.hear()
        await phone.speak("折り返しお願いします")
        await phone.press("#")
        await phone.hear()
    elif end == "callback":
        for key in ("3", "1"):
            await phone.press(key)
            await phone.hear()
    elif end == "chat":
        await phone.press("4")
        await phone.hear()
    if phone.here.state != "ended":
        await phone.hang_up()


async def outcomes(folder: Path, **modes: Any) -> dict[str, tuple[object, ...]]:
    """Return what each caller's call came to, by their number."""
    async with telephones(folder, FLOW) as center:
        center.answering(**modes)
        await asyncio.gather(*(one_call(center, n) for n in range(MANY)))
        await center.voice.quiet()

        async def over() -> bool:
            found = await center.calls()
            return len(found) == MANY and {row["state"] for row in found} == {"ended"}

        await wait_for(over, "all calls are over", within=120)
        legs = {
            row["call"]: row["data"].get("address")
            for row in await rows(center.here, call_event)
            if row["kind"] == "leg.rang"
        }
        sue = await center.here.person("sue")
        found: dict[str, tuple[object, ...]] = {}
        for row in await rows(center.here, call):
            shown = await sue.call("GET", f"/calls/{row['id']}")
            answers = tuple((each["name"], each["value"]) for each in shown["answers"])
            states = tuple((leg["party"], leg["state"]) for leg in shown["legs"])
            found[str(legs[row["id"]])] = (shown["state"], shown["why"], answers, states)
        return found


async def test_a_hundred_calls_come_to_the_same_in_any_order(tmp_path: Path) -> None:
    ordered = await outcomes(tmp_path / "ordered")
    shuffled = await outcomes(tmp_path / "shuffled", shuffled=True, doubled=True, seed=7)
    assert len(ordered) == MANY
    assert shuffled == ordered
    # The clock stands still, so that nobody's order is told by time: it is the events' own.
    assert len({answers for _, _, answers, _ in ordered.values()}) == len(ENDS)
