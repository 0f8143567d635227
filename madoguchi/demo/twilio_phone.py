"""A person at a telephone, or at a browser's softphone, whom the fake connects."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

import jwt

from madoguchi.demo.twilio_line import Line, Sound
from madoguchi.demo.twilio_rules import Refusal

if TYPE_CHECKING:
    from madoguchi.demo.fake_voice import FakeVoice


class Phone:
    """One telephone; ``address`` is a number or ``client:NAME``. ``lost`` are keys and words that
    nothing waited for.
    """

    def __init__(self, voice: FakeVoice, address: str) -> None:
        self.voice = voice
        self.address = address
        self.line: Line | None = None
        self.lost: list[str] = []
        self._ringing: asyncio.Future[str] | None = None
        self._rang = asyncio.Event()
        voice.phones[address] = self

    @property
    def here(self) -> Line:
        """Return the present call's line. Raises RuntimeError for none."""
        if self.line is None:
            raise RuntimeError("no call")
        return self.line

    def dial(self, number: str, caller: str | None = None, name: str = "") -> Line:
        """Call the account's number; ``caller`` is what is shown instead of our own number."""
        shown = self.address if caller is None else caller
        self.line = self.voice.receive(shown, number, self.voice.url, name)
        return self.line

    def connect(self, token: str, parameters: Mapping[str, str]) -> Line:
        """Call from a browser with an access token. Raises Refusal for one that does not hold."""
        identity, app = self._grant(token)
        if app != self.voice.app_sid or f"client:{identity}" != self.address:
            raise Refusal(20104, "Access Token does not fit", 401)
        self.line = self.voice.receive(
            self.address, "", self.voice.app_url, form=list(parameters.items())
        )
        return self.line

    def _grant(self, token: str) -> tuple[str, str]:
        try:
            issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
            secret = self.voice.keys[issuer]
            found = jwt.decode(
                token, secret, ["HS256"], options={"verify_exp": False, "verify_nbf": False}
            )
            voice = found["grants"]["voice"]
            return str(found["grants"]["identity"]), str(voice["outgoing"]["application_sid"])
        except (jwt.PyJWTError, KeyError) as wrong:
            raise Refusal(20101, "Invalid Access Token", 401) from wrong

    async def rung(self, line: Line, timeout_s: int) -> str:
        """Ring; return how the person, or their patience, decides."""
        self.line = line
        self._ringing = ringing = asyncio.get_running_loop().create_future()
        self._rang.set()
        timer = asyncio.ensure_future(self.voice.patience(timeout_s))
        try:
            await asyncio.wait({ringing, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            self._rang.clear()
        return ringing.result() if ringing.done() else "no-answer"

    async def answer(self) -> Line:
        """Answer as soon as it rings."""
        return await self._decide("in-progress")

    async def decline(self) -> Line:
        """Decline as soon as it rings."""
        return await self._decide("busy")

    async def end_ringing(self, status: str) -> Line:
        """Let the ringing end as a network says: "busy", "no-answer", "failed"."""
        return await self._decide(status)

    async def ringing(self) -> None:
        """Return when it rings."""
        await self._rang.wait()

    async def _decide(self, status: str) -> Line:
        await self._rang.wait()
        if self._ringing is not None and not self._ringing.done():
            self._ringing.set_result(status)
        return self.here

    async def press(self, keys: str) -> None:
        """Press keys when the call waits for something; what it does not wait for is lost."""
        line = self.here
        await line.settled()
        if line.state == "record":
            line.take("digits", keys)
            return
        verb = line.dialling[0] if line.dialling is not None else None
        if verb is not None and verb.truth("hangupOnStar", False) and "*" in keys:
            self.voice.rooms.leave(line, "participant_hung_up")
            return
        gather = line.gathering
        if gather is None or "dtmf" not in gather.attributes.get("input", "dtmf"):
            self.lost.append(keys)
            return
        finish = gather.attributes.get("finishOnKey", "#")
        most = gather.number("numDigits", len(keys))
        typed = ""
        for key in keys[:most]:
            if typed and key == finish:
                break
            typed += key
        line.take("digits", typed)

    async def speak(self, text: str) -> None:
        """Say something: an answer, a part of a message, or nothing that anybody waits for."""
        line = self.here
        await line.settled()
        if line.state == "record":
            line.spoken.append(text)
            return
        gather = line.gathering
        if gather is None or "speech" not in gather.attributes.get("input", "dtmf"):
            self.lost.append(text)
            return
        line.take("speech", text)

    async def stay_silent(self) -> None:
        """Do nothing until the call waits no longer."""
        line = self.here
        await line.settled()
        line.give_up()

    async def hear(self) -> list[str]:
        """Return what was said and played since the last time, once the call waits or has ended."""
        return [sound.text for sound in await self.sounds()]

    async def sounds(self) -> list[Sound]:
        """Return what was heard since the last time, with its kind and language."""
        line = self.here
        await line.settled()
        found, line.sounds = line.sounds, []
        return found

    def hears(self) -> set[str]:
        """Return the addresses of those whom this person hears in a conference."""
        line = self.here
        room = self.voice.rooms.all.get(line.conference)
        calls = room.hears(line.call.sid) if room else set()
        return {self.voice.lines[sid].address for sid in calls}

    async def hang_up(self) -> None:
        """End the call; what was said after the tone stays."""
        line = self.here
        line.finish_recording()
        self.voice.hung_up(line)
