"""A fake of Twilio's voice API: calls and conferences that go on as Twilio's do.

The rules stand in :mod:`.twilio_voice_rules` and :mod:`.twilio_call`, what a caller hears in
:mod:`.twilio_line`, the HTTP side in :mod:`.twilio_voice_api`. People have telephones:
:class:`.twilio_phone.Phone`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import aiohttp
from aiohttp import web
from multidict import MultiDict

from madoguchi.demo.twilio_call import TOLD, Call, Form, Participant
from madoguchi.demo.twilio_line import Fetch, Line
from madoguchi.demo.twilio_message import WrongOrder
from madoguchi.demo.twilio_post import Post
from madoguchi.demo.twilio_recorder import Recorder
from madoguchi.demo.twilio_recording import Recording
from madoguchi.demo.twilio_rooms import Rooms
from madoguchi.demo.twilio_rules import Refusal
from madoguchi.demo.twilio_twiml import Verb
from madoguchi.demo.twilio_voice_api import VoiceApi
from madoguchi.demo.twilio_voice_rules import check_call_update, check_calling

if TYPE_CHECKING:
    from madoguchi.demo.fake_twilio import FakeTwilio
    from madoguchi.demo.twilio_phone import Phone

RING_S = 60
SPOKEN_S = 3

Sleep = Callable[[float], Awaitable[None]]


class FakeVoice:
    """The calls of one account. ``url`` is where calls to the number go, ``status_url`` where their
    end is told, ``app_url`` where those from browsers go; ``errors`` are what Twilio's debugger
    would show. ``patience`` is how people's time passes, ``pause`` how a silence does.
    """

    def __init__(
        self, twilio: FakeTwilio, http: aiohttp.ClientSession, base: str, pause: Sleep
    ) -> None:
        self.twilio = twilio
        self.url = ""
        self.status_url = ""
        self.app_url = ""
        self.app_sid = ""
        self.keys: dict[str, str] = {}
        self.address = f"https://api.twilio.com{base}"
        self.calls: dict[str, Call] = {}
        self.lines: dict[str, Line] = {}
        self.recorder = Recorder(self)
        self.phones: dict[str, Phone] = {}
        self.errors: list[tuple[int, str]] = []
        self.pause: Sleep = pause
        self.patience: Sleep = asyncio.sleep
        self.post = Post(
            twilio.token,
            http,
            lambda: twilio.modes,
            lambda: any(line.state != "ended" for line in self.lines.values()),
            lambda what, sid, url, status: twilio.note("sent", what, sid, url, status),
            pause,
        )
        self.rooms = Rooms(self)
        self._tasks: set[asyncio.Task[None]] = set()
        self._api = VoiceApi(self, base)

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes of the API."""
        return self._api.routes()

    async def close(self) -> None:
        """End everything that goes on."""
        for line in self.lines.values():
            line.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.post.close()

    async def quiet(self) -> None:
        """Return when no callback is on its way."""
        await self.post.quiet()

    def now(self) -> Any:
        """Return the time."""
        return self.twilio.clock.now()

    @property
    def recordings(self) -> dict[str, Recording]:
        """The recordings by id."""
        return self.recorder.all

    def open(self, call: Call) -> Line:
        """Take a new call."""
        self.calls[call.sid] = call
        self.lines[call.sid] = line = Line(self, call)
        return line

    def move(self, call: Call, status: str) -> None:
        """Give a call its next status and tell whoever asked for it."""
        call.move(status, self.now())
        if TOLD.get(status, "completed") in call.events:
            self.post.tell(call.callback, call.status_form(self.now()))
        self.twilio.revision += 1

    def receive(
        self, caller: str, called: str, url: str, name: str = "", form: Form | None = None
    ) -> Line:
        """Take a call to our number, or one from a browser; return its line."""
        call = Call(
            self.twilio.account_sid, caller, called, "inbound", self.now(), "ringing", name=name
        )
        call.callback = self.status_url
        line = self.open(call)
        line.follow(Fetch(url, form=form or []))
        return line

    def create(self, form: MultiDict[str]) -> Call:
        """Make a call that a checked request asks for."""
        check_calling(form, frozenset({self.twilio.number}))
        line = self.dialled(form)
        fetch = Fetch(
            form.get("Url", self.app_url),
            form.get("Method", "POST"),
            twiml=form.get("Twiml", ""),
        )
        line.start(self._ring(line, form, lambda: line.follow(fetch)))
        return line.call

    def dialled(self, form: Mapping[str, str], parent: str = "") -> Line:
        """Return the line of a call that we make."""
        way = "outbound-dial" if parent else "outbound-api"
        call = Call(
            self.twilio.account_sid, form["From"], form["To"], way, self.now(), parent=parent
        )
        call.callback = form.get("StatusCallback", "")
        if isinstance(form, MultiDict) and "StatusCallbackEvent" in form:
            call.events = frozenset(form.getall("StatusCallbackEvent"))
        return self.open(call)

    async def _ring(
        self, line: Line, form: Mapping[str, str], answered: Callable[[], None]
    ) -> None:
        status = await self.ring(line, int(form.get("Timeout", RING_S)))
        if status == "in-progress":
            answered()
        else:
            self.hung_up(line, status)

    async def ring(self, line: Line, timeout_s: int) -> str:
        """Ring whoever is called; return "in-progress" or how the call ends."""
        self.move(line.call, "initiated")
        self.move(line.call, "ringing")
        phone = self.phones.get(line.call.called)
        if phone is None:
            return "no-answer"
        status = await phone.rung(line, timeout_s)
        if status == "in-progress":
            self.move(line.call, status)
        return status

    def ring_into(self, line: Line, form: Mapping[str, str], answered: Callable[[], None]) -> None:
        """Ring, and do something when it is answered."""
        line.start(self._ring(line, form, answered))

    def update(self, call: Call, form: MultiDict[str]) -> Call:
        """Change a call: end it, or let it go on with another document."""
        check_call_update(form, call.status)
        line = self.lines[call.sid]
        if "StatusCallback" in form:
            call.callback = form["StatusCallback"]
        if "Status" in form:
            early = call.status in {"queued", "initiated", "ringing"}
            self.hung_up(line, "canceled" if early else "completed")
        elif "Url" in form or "Twiml" in form:
            method = form.get("Method", "POST")
            line.follow(Fetch(form.get("Url", ""), method, twiml=form.get("Twiml", "")))
        return call

    def hung_up(self, line: Line, status: str = "completed") -> None:
        """End a call; a recording that is being made is kept."""
        if line.call.live:
            self.rooms.leave(line, "participant_hung_up", "completed")
            with suppress(WrongOrder):
                self.move(line.call, status)
            self.recorder.ended(line.call)
            self._tell_action(line)
        line.stop()
        parent = self.lines.get(line.call.parent)
        if parent is not None and parent.state == "bridged":
            parent.set("busy")
        for other in list(self.lines.values()):
            if other.call.parent == line.call.sid and other.call.live:
                early = other.call.status in {"queued", "initiated", "ringing"}
                self.hung_up(other, "canceled" if early else "completed")
        self.post.go()

    def _tell_action(self, line: Line) -> None:
        """Tell the action of a Dial of somebody who has hung up; what it answers is not heard."""
        verb, base = line.dialling or (None, "")
        if verb is not None and "action" in verb.attributes:
            form = [*line.call.form(), ("DialCallStatus", "completed")]
            self.post.tell(urljoin(base, verb.attributes["action"]), form)
        line.dialling = None

    def recorded(self, line: Line, verb: Verb, base: str, text: str) -> Recording | None:
        """Keep what was said after the tone and tell it; None for silence."""
        if not text:
            return None
        seconds = SPOKEN_S + len(text) // 8
        made = Recording(line.call.account, line.call.sid, self.now(), seconds, text)
        self.recorder.all[made.sid] = made
        url = verb.attributes.get("recordingStatusCallback", "")
        self.post.tell(urljoin(base, url) if url else "", made.form(self.address))
        return made

    async def join(self, line: Line, noun: Verb, base: str) -> None:
        """Let a call take part in a conference; returns when it is let go."""
        attributes = noun.attributes
        music = attributes.get("waitUrl", "")
        member = Participant(
            line.call,
            self.now(),
            attributes.get("participantLabel", ""),
            muted=noun.truth("muted", False),
            coaches=attributes.get("coach", ""),
            starts=noun.truth("startConferenceOnEnter", True),
            ends=noun.truth("endConferenceOnExit", False),
            wait_url=urljoin(base, music) if music else "",
            wait_method=attributes.get("waitMethod", "POST"),
        )
        callback = attributes.get("statusCallback", "")
        room = self.rooms.enter(
            noun.text,
            member,
            urljoin(base, callback) if callback else "",
            attributes.get("statusCallbackEvent", "").split(),
        )
        await self.rooms.stay(line, room, member)

    def leave(self, line: Line, reason: str) -> None:
        """Let a call leave its conference, if it is in one."""
        self.rooms.leave(line, reason)

    async def bridge(self, line: Line, verb: Verb, base: str) -> Form:
        """Call somebody and connect the two; return how it went."""
        noun = verb.child("Number") or verb.child("Client")
        if noun is None:
            return [("DialCallStatus", "failed")]
        to = f"client:{noun.text}" if noun.name == "Client" else noun.text
        url = noun.attributes.get("statusCallback", "")
        caller = verb.attributes.get("callerId", line.call.caller)
        form = MultiDict({"From": caller, "To": to, "StatusCallback": urljoin(base, url)})
        for event in noun.attributes.get("statusCallbackEvent", "").split():
            form.add("StatusCallbackEvent", event)
        other = self.dialled(form, line.call.sid)
        status = await self.ring(other, verb.number("timeout", 30))
        if status == "in-progress":
            line.set("bridged")
            other.set("bridged")
            while other.call.live:
                await other.changed()
            status = other.call.status
        else:
            self.hung_up(other, status)
        return [("DialCallStatus", status), ("DialCallSid", other.call.sid)]

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def found(self, sid: str) -> Call:
        """Return a call. Raises Refusal."""
        if sid not in self.calls:
            raise Refusal(20404, f"The requested resource /Calls/{sid[:40]} was not found", 404)
        return self.calls[sid]
