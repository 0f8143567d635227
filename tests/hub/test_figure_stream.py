"""What supervisors are told of figures: a queue at most once in a second, only what changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent_ui.figures import FigureStream
from madoguchi.clock import ManualClock
from tests.support.hubs import hub_running
from tests.support.waiting import wait_for


class Desks:
    """Supervisors who listen, and what each was told."""

    def __init__(self) -> None:
        self.listening = {"sue"}
        self.told: list[tuple[str, dict[str, Any]]] = []

    def watchers(self) -> set[str]:
        """Return who listens."""
        return self.listening

    async def tell(self, sid: str, name: str, body: Any) -> None:
        """Keep what somebody is told."""
        assert name == "figures"
        self.told.append((sid, body))

    def queues(self, sid: str) -> list[str]:
        """Return the queues of which somebody was told, and forget it."""
        found = [q["queue"] for who, body in self.told if who == sid for q in body["queues"]]
        self.told = [one for one in self.told if one[0] != sid]
        return found


async def test_nothing_is_told_twice_and_nothing_when_nothing_changed(tmp_path: Path) -> None:
    async with hub_running(tmp_path, clock=ManualClock()) as here:
        desks = Desks()
        stream = FigureStream(here.hub.router, desks)
        await stream.step()
        assert desks.queues("sue") == ["orders", "returns"], "everything first"
        await stream.step()
        assert desks.told == [], "nothing has changed"
        board = here.hub.router.board
        assert board is not None
        for n in range(5):
            await here.sms(f"+81905550010{n}", "hello")
        await wait_for(lambda: board.shown("orders")["waiting"] == 5, "five wait")
        await stream.step()
        assert desks.queues("sue") == ["orders"], "five changes are one view"
        await stream.step()
        assert desks.told == []
        desks.listening = {"sue", "tom"}
        await stream.step()
        assert desks.queues("tom") == ["orders", "returns"], "who is new is told everything"
        assert desks.queues("sue") == []
