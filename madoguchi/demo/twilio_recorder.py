"""The recordings of the fake: of calls they are begun, paused and ended by the API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from multidict import MultiDict

from madoguchi.demo.twilio_call import Call
from madoguchi.demo.twilio_recording import BY_API, LIVING, Recording
from madoguchi.demo.twilio_rules import Refusal, check_known
from madoguchi.demo.twilio_voice_rules import CALL_RECORDING, check_recording_update

if TYPE_CHECKING:
    from madoguchi.demo.fake_voice import FakeVoice


class Recorder:
    """All recordings of an account."""

    def __init__(self, voice: FakeVoice) -> None:
        self._voice = voice
        self.all: dict[str, Recording] = {}

    def found(self, sid: str, call: str | None = None) -> Recording:
        """Return a recording, of a call where that is given. Raises Refusal."""
        one = self.all.get(sid)
        if one is None or call not in {None, one.call}:
            where = f"/Recordings/{sid[:40]}"
            raise Refusal(20404, f"The requested resource {where} was not found", 404)
        return one

    def of(self, call: str | None) -> list[dict[str, Any]]:
        """Return the resources of a call's recordings, the newest first; all for None."""
        return [one.resource() for one in reversed(self.all.values()) if call in {None, one.call}]

    def begin(self, call: Call, form: MultiDict[str]) -> Recording:
        """Record a call from now on. Raises Refusal."""
        check_known(form, CALL_RECORDING)
        if call.status != "in-progress":
            raise Refusal(21220, "Requested resource is not eligible for recording", 404)
        now = self._voice.now()
        made = Recording(
            call.account,
            call.sid,
            now,
            source=BY_API,
            status="in-progress",
            since=now,
            callback=form.get("RecordingStatusCallback", ""),
            events=_events(form),
        )
        self.all[made.sid] = made
        return made

    def change(self, one: Recording, form: MultiDict[str]) -> Recording:
        """Pause a recording, let it go on, or end it. Raises Refusal."""
        check_recording_update(form, one.status)
        one.move(form["Status"], self._voice.now())
        one.skips = form.get("PauseBehavior") == "skip"
        if one.status == "stopped":
            self._complete(one)
        return one

    def delete(self, one: Recording) -> None:
        """Delete a recording. Raises Refusal."""
        if one.status in LIVING:
            raise Refusal(20409, "The recording is in progress", 409)
        del self.all[one.sid]

    def ended(self, call: Call) -> None:
        """Complete what was recorded of a call that is over."""
        for one in self.all.values():
            if one.call == call.sid and one.status in LIVING:
                one.move("stopped", self._voice.now())
                self._complete(one)

    def _complete(self, one: Recording) -> None:
        one.status = "completed"
        if "completed" in one.events:
            self._voice.post.tell(one.callback, one.form(self._voice.address))


def _events(form: MultiDict[str]) -> frozenset[str]:
    named: Iterable[str] = form.getall("RecordingStatusCallbackEvent", ["completed"])
    return frozenset(each for one in named for each in one.split())
