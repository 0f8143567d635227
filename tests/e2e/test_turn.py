"""Calls between browsers that reach each other by a TURN server only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.e2e.callers import CALLS, FLAGS, Line, answer, caller, desk, hang_up
from tests.e2e.houses import House
from tests.support.browser import running_browser
from tests.support.hubs import hub_running
from tests.support.turn import SECRET, Turn, running_turn

pytestmark = pytest.mark.browser

RELAYED = """
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(given) { super({ ...given, iceTransportPolicy: 'relay' }) }
}
"""

WAYS = """async () => {
  const found = []
  for (const one of window.connections) {
    const stats = await one.getStats()
    for (const pair of stats.values()) {
      if (pair.type !== 'candidate-pair' || !pair.nominated) continue
      found.push([stats.get(pair.localCandidateId), stats.get(pair.remoteCandidateId)])
    }
  }
  return found.map((ends) => ends.map((end) => end?.candidateType))
}"""


class Far(House):
    """A house whose pages have no way to each other but a relay."""

    async def page(self, **how: Any) -> Page:
        """Open a page."""
        page = await super().page(**how)
        await page.add_init_script(RELAYED)
        return page


@pytest.fixture
def turn() -> Iterator[Turn]:
    """A TURN server that knows the hub's secret."""
    with running_turn() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def far(tmp_path: Path, turn: Turn) -> AsyncIterator[House]:
    """A hub that gives passes for the server."""
    async with (
        hub_running(tmp_path, turn=turn.address, turn_secret=SECRET) as here,
        running_browser(*FLAGS) as browser,
    ):
        await here.configure(CALLS)
        house = Far(here, browser)
        yield house
        await house.close()
        assert house.faults == []


async def test_they_talk_by_the_relay_with_the_hubs_passes(far: House, turn: Turn) -> None:
    ann = await desk(far, "ann")
    await ann.available()
    visitor = await caller(far)
    await visitor.call()
    await answer(ann)
    for line in (visitor.line, Line(ann.page)):
        await line.flows()
        ways = await line.page.evaluate(WAYS)
        assert {tuple(ends) for ends in ways} == {("relay", "relay")}
    assert turn.said("ALLOCATE processed, success") >= len([ann, visitor])
    await hang_up(ann)
