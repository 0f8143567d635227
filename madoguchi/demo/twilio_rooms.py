"""The conferences of the fake: who is in, who hears whom, what is told about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from multidict import MultiDict

from madoguchi.demo.twilio_call import Conference, Participant, new_sid
from madoguchi.demo.twilio_line import Line
from madoguchi.demo.twilio_rules import Refusal, check_known
from madoguchi.demo.twilio_voice_rules import (
    CONFERENCE_UPDATE,
    PARTICIPANT,
    PARTICIPANT_UPDATE,
    check_coaching,
    check_dialling,
    truth,
)

if TYPE_CHECKING:
    from madoguchi.demo.fake_voice import FakeVoice

EVENTS = {
    "conference-start": "start",
    "conference-end": "end",
    "participant-join": "join",
    "participant-leave": "leave",
    "participant-mute": "mute",
    "participant-unmute": "mute",
    "participant-hold": "hold",
    "participant-unhold": "hold",
    "participant-modify": "modify",
    "announcement-end": "announcement",
}


class Rooms:
    """All conferences of an account; the names of those that go on are unique."""

    def __init__(self, voice: FakeVoice) -> None:
        self._voice = voice
        self.all: dict[str, Conference] = {}

    def named(self, name: str) -> Conference | None:
        """Return the conference of a name that goes on."""
        living = (room for room in self.all.values() if room.status != "completed")
        return next((room for room in living if room.name == name), None)

    def found(self, sid: str) -> Conference:
        """Return a conference. Raises Refusal."""
        if sid not in self.all:
            raise Refusal(
                20404, f"The requested resource /Conferences/{sid[:40]} was not found", 404
            )
        return self.all[sid]

    def member(self, sid: str, call: str) -> tuple[Conference, Participant]:
        """Return a participant by call or label, of a conference that goes on. Raises Refusal."""
        room = self.found(sid)
        known = {**room.rung, **room.members}
        labelled = (one for one in known.values() if one.label == call)
        member = known.get(call) or next(labelled, None)
        if member is None:
            where = f"/Conferences/{sid[:40]}/Participants/{call[:40]}"
            raise Refusal(20404, f"The requested resource {where} was not found", 404)
        return room, member

    def enter(
        self, name: str, member: Participant, callback: str, events: Sequence[str]
    ) -> Conference:
        """Let somebody in; the first one makes the conference and says where it is told."""
        voice = self._voice
        room = self.named(name)
        if room is None:
            room = Conference(
                voice.twilio.account_sid, name, voice.now(), callback, frozenset(events)
            )
            self.all[room.sid] = room
        room.rung.pop(member.call.sid, None)
        room.members[member.call.sid] = member
        voice.lines[member.call.sid].conference = room.sid
        self._tell(room, "participant-join", member)
        if room.may_start:
            room.status = "in-progress"
            self._tell(room, "conference-start")
        return room

    async def stay(self, line: Line, room: Conference, member: Participant) -> None:
        """Return when somebody is let go; until it begins they hear what waits."""
        if room.status == "init" and member.wait_url:
            form = [("ConferenceSid", room.sid), ("FriendlyName", room.name)]
            await line.music(member.wait_url, member.wait_method, form=form)
        if line.conference:
            line.set("conference")
            while line.conference:
                await line.changed()

    def leave(self, line: Line, reason: str, status: str = "in-progress") -> None:
        """Let a call leave, whose ``status`` is this then; the conference ends with its last one,
        or with one who ends it.
        """
        for each in self.all.values():
            each.rung.pop(line.call.sid, None)
        room = self.all.get(line.conference)
        line.conference = ""
        if room is None or line.call.sid not in room.members:
            return
        member = room.members.pop(line.call.sid)
        more = [("ReasonParticipantLeft", reason), ("ParticipantCallStatus", status)]
        self._tell(room, "participant-leave", member, more)
        line.set("busy")
        if member.ends:
            self.end(room, "participant-with-end-conference-on-exit-left", line.call.sid)
        elif not room.members:
            self.end(room, "last-participant-left", line.call.sid)

    def end(self, room: Conference, reason: str, ending: str = "") -> None:
        """End a conference: everybody goes on with what follows in their documents."""
        if room.status == "completed":
            return
        room.status, room.reason, room.ending = "completed", reason, ending
        for member in list(room.members.values()):
            self.leave(self._voice.lines[member.call.sid], "conference_ended")
        self._tell(room, "conference-end")

    def dial(self, name: str, form: MultiDict[str]) -> dict[str, Any]:
        """Call somebody into a conference, by id or name; return the participant's resource."""
        voice = self._voice
        check_dialling(form, PARTICIPANT, frozenset({voice.twilio.number}))
        check_coaching(form)
        room = self.all.get(name)
        if room is not None and room.status == "completed":
            raise Refusal(21250, "The conference has ended.")
        line = voice.dialled(form)
        member = Participant(
            line.call,
            voice.now(),
            form.get("Label", ""),
            muted=truth(form, "Muted"),
            coaches=form.get("CallSidToCoach", ""),
            starts=truth(form, "StartConferenceOnEnter", True),
            ends=truth(form, "EndConferenceOnExit"),
            wait_url=form.get("WaitUrl", ""),
        )

        home = room or self.named(name)
        if home is not None:
            home.rung[line.call.sid] = member

        def answered() -> None:
            events = " ".join(form.getall("ConferenceStatusCallbackEvent", [])).split()
            callback = form.get("ConferenceStatusCallback", "")
            entered = self.enter(room.name if room else name, member, callback, events)
            line.start(self._in(line, entered, member))

        voice.ring_into(line, form, answered)
        return member.resource(room.sid if room else new_sid("CF"))

    async def _in(self, line: Line, room: Conference, member: Participant) -> None:
        await self.stay(line, room, member)
        self._voice.hung_up(line)

    def change(self, room: Conference, member: Participant, form: MultiDict[str]) -> None:
        """Hold, mute, coach and so on."""
        check_known(form, PARTICIPANT_UPDATE)
        check_coaching(form)
        before = (member.muted, member.held)
        member.muted = truth(form, "Muted", member.muted)
        member.held = truth(form, "Hold", member.held)
        member.ends = truth(form, "EndConferenceOnExit", member.ends)
        if "Coaching" in form or "CallSidToCoach" in form:
            member.coaches = form.get("CallSidToCoach", "")
            if not truth(form, "Coaching", True):
                member.coaches = ""
            self._tell(room, "participant-modify", member)
        if member.muted != before[0]:
            self._tell(room, "participant-mute" if member.muted else "participant-unmute", member)
        if member.held != before[1]:
            self._tell(room, "participant-hold" if member.held else "participant-unhold", member)
        played = form.get("AnnounceUrl") or (form.get("HoldUrl") if member.held else None)
        if played:
            self._play(member, played, form, "Announce" if "AnnounceUrl" in form else "Hold")

    def update(self, room: Conference, form: MultiDict[str]) -> None:
        """End a conference, or let all in it hear something."""
        check_known(form, CONFERENCE_UPDATE)
        if room.status == "completed":
            raise Refusal(20404, "The conference is not in progress.", 404)
        if "AnnounceUrl" in form:
            for member in room.members.values():
                self._play(member, form["AnnounceUrl"], form, "Announce")
        if form.get("Status") == "completed":
            self.end(room, "conference-ended-via-api")

    def _play(self, member: Participant, url: str, form: Mapping[str, str], what: str) -> None:
        line = self._voice.lines[member.call.sid]
        self._voice.spawn(line.music(url, form.get(f"{what}Method", "POST")))

    def _tell(
        self,
        room: Conference,
        event: str,
        member: Participant | None = None,
        more: Sequence[tuple[str, str]] = (),
    ) -> None:
        form = room.form(event, self._voice.now(), member)
        if EVENTS[event] in room.events:
            self._voice.post.tell(room.callback, [*form, *more])
