"""Sound files of flows: callers hear them, and they are kept as long as a flow names them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from madoguchi.clock import ManualClock
from tests.hub.test_phone_call import CUSTOMER
from tests.support.hubs import NUMBER
from tests.support.telephones import telephones

FLOW = """
[flow.main]
name = "代表電話"
start = "bye"
[flow.main.steps.bye]
do = "hang_up"
play = "{file}"
[account.phone]
flow = "main"
"""
DAY_S = 86_400


async def sound() -> AsyncIterator[bytes]:
    """Stream something that begins as sound does."""
    yield b"RIFF\x24\x00\x00\x00WAVEfmt "


async def test_sound_is_played_and_kept_while_a_flow_names_it(tmp_path: Path) -> None:
    clock = ManualClock()
    async with telephones(tmp_path, clock=clock) as center:
        files = center.here.hub.files
        stored = await files.put("hello.wav", sound(), "adam")
        await center.here.configure(FLOW.format(file=stored.id))
        phone = center.phone(CUSTOMER)
        phone.dial(NUMBER)
        (url,) = await phone.hear()
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            assert (answer.status, (await answer.read())[:4]) == (200, b"RIFF")
        clock.advance(2 * DAY_S)
        assert await files.sweep() == 0
        spoken = FLOW.format(file="").replace('play = ""', 'text = "では。"')
        await center.here.configure(spoken)
        assert await files.sweep() == 1
