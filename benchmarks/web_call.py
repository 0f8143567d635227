"""Calls between browsers: from the agent's key until sound goes both ways.

    .venv/bin/python benchmarks/web_call.py [--calls 30]

One Chromium with two profiles and fake microphones, a visitor's and an agent's, on this machine.
Each call is offered, taken by key, and ended. What is told is from the key until both pages have
received packets, looked for every 10 ms; beside it how long two bare peer connections of one page
take in the same run.

Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.async_api import expect
from support import percentile, report

from tests.e2e.callers import CALLS, FLAGS, Caller, caller, desk, hang_up
from tests.e2e.houses import House
from tests.e2e.people import Agent
from tests.support.browser import running_browser
from tests.support.hubs import hub_running

FLOWS = """async () => {
  for (;;) {
    for (const one of window.connections.filter((each) => each.connectionState !== 'closed')) {
      for (const each of (await one.getStats()).values()) {
        if (each.type === 'inbound-rtp' && each.kind === 'audio' && each.packetsReceived > 0) return
      }
    }
    await new Promise((done) => setTimeout(done, 10))
  }
}"""
BARE = """async () => {
  const sound = await navigator.mediaDevices.getUserMedia({ audio: true })
  const began = performance.now()
  const [one, two] = [new RTCPeerConnection(), new RTCPeerConnection()]
  for (const [here, there] of [[one, two], [two, one]]) {
    here.onicecandidate = ({ candidate }) => there.addIceCandidate(candidate)
    here.addTrack(sound.getAudioTracks()[0], sound)
  }
  await one.setLocalDescription()
  await two.setRemoteDescription(one.localDescription)
  await two.setLocalDescription()
  await one.setRemoteDescription(two.localDescription)
  const heard = async (here) => {
    for (;;) {
      for (const each of (await here.getStats()).values()) {
        if (each.type === 'inbound-rtp' && each.packetsReceived > 0) return
      }
      await new Promise((done) => setTimeout(done, 10))
    }
  }
  await Promise.all([heard(one), heard(two)])
  const took = performance.now() - began
  one.close(); two.close()
  sound.getTracks().forEach((each) => each.stop())
  return took / 1000
}"""


async def one_call(ann: Agent, visitor: Caller) -> float:
    """Return how many seconds a call took from the key until sound went both ways."""
    await visitor.call()
    await expect(ann.offer).to_be_visible()
    heard = [asyncio.ensure_future(page.evaluate(FLOWS)) for page in (ann.page, visitor.page)]
    began = time.perf_counter()
    await ann.page.keyboard.press("F2")
    await asyncio.gather(*heard)
    took = time.perf_counter() - began
    await hang_up(ann)
    await visitor.page.close()
    return took


def told(seconds: list[float]) -> dict[str, Any]:
    """Return the figures of some times, in milliseconds."""
    shares = {f"p{share}_ms": percentile(seconds, share / 100) * 1000 for share in (50, 99)}
    return {"count": len(seconds), **shares, "most_ms": max(seconds) * 1000}


async def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=30)
    count = parser.parse_args().calls
    with tempfile.TemporaryDirectory(prefix="madoguchi-bench-") as folder:
        async with hub_running(Path(folder)) as here, running_browser(*FLAGS) as browser:
            await here.configure(CALLS)
            house = House(here, browser)
            ann, visitor = await desk(house, "ann"), await caller(house)
            await ann.available()
            bare = [await visitor.page.evaluate(BARE) for _ in range(count)]
            calls = [await one_call(ann, await caller(house)) for _ in range(count)]
            await house.close()
    figures = {"call": told(calls), "bare": told(bare)}
    ratio = figures["call"]["p50_ms"] / figures["bare"]["p50_ms"]
    report("web call", {**figures, "ratio_p50": ratio})


if __name__ == "__main__":
    asyncio.run(main())
