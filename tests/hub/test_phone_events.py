"""What stored events of calls mean: any content, any time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.twilio_told import Told, meaning, number_of
from madoguchi.clock import ManualClock
from madoguchi.flows.turns import Answer, Decision, Enqueue, State, Turn
from madoguchi.model.calls import CALLER, CallEvent, Happened
from madoguchi.model.ids import written_at
from madoguchi.model.inbound import InboundCall, InboundMessage, InboundUnknown, ProviderEvent

CALL = "CA" + "7" * 32
NUMBER = "+819055500187"
ID = ManualClock().new_id()
BEGAN = written_at(ID)
FIELDS = (
    "From", "CallStatus", "StatusCallbackEvent", "Timestamp", "SequenceNumber", "CallSid",
    "ParticipantLabel", "RecordingStatus", "RecordingUrl", "CallerName", "FromCity", "StirVerstat",
)  # fmt: skip
_texts = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "completed",
            "in-progress",
            "participant-leave",
            "conference-end",
            CALL,
            "absent",
            "9" * 40,
        ]
    ),
    st.sampled_from(["Fri, 27 Nov 2026 04:00:00 +0000", "Fri, 32 Nov 2026", "0", "99999999999"]),
)
_KINDS = ("voice", "step", "status", "conference", "recording", "agent", "other")
_turn = Turn(
    instructions=(Enqueue(),),
    state=State(
        flow="main", step="a", language="ja", answers=(Answer(step="a", name="x", value="1"),)
    ),
    decision=Decision(kind="callback", number="0312345678"),
)

TURN = Turn(
    instructions=(Enqueue(),),
    state=State(flow="main", step="a", language="ja"),
    decision=Decision(kind="queue"),
)


def event(kind: str, form: dict[str, str], at: datetime = BEGAN, **more: Any) -> ProviderEvent:
    told = Told.model_validate({"form": form, "call": CALL, "number": NUMBER, **more})
    return ProviderEvent("e1", "lane", kind, told.model_dump_json().encode(), at)


@given(
    st.sampled_from(_KINDS),
    st.dictionaries(st.sampled_from(FIELDS), _texts),
    st.sampled_from(["", ID, "x"]),
    st.sampled_from([None, _turn]),
)
def test_no_content_crashes_it(kind: str, form: dict[str, str], id: str, turn: Turn | None) -> None:
    for inbound in meaning(event(kind, form, id=id, turn=turn)):
        assert isinstance(inbound, InboundCall | InboundMessage | InboundUnknown)


@given(st.binary(max_size=200))
def test_no_bytes_crash_it(body: bytes) -> None:
    (found,) = meaning(ProviderEvent("e1", "lane", "voice", body, BEGAN))
    assert isinstance(found, InboundUnknown)


def one(inbound: Any) -> CallEvent:
    assert isinstance(inbound, InboundCall)
    (found,) = inbound.events
    return found


def test_twilios_seconds_lie_between_the_beginning_and_the_moment_we_hear_of_it() -> None:
    leave = {"StatusCallbackEvent": "participant-leave", "CallSid": CALL, "SequenceNumber": "4"}

    def left(told: str, heard_after: float) -> datetime:
        at = BEGAN + timedelta(seconds=heard_after)
        (found,) = meaning(event("conference", {**leave, "Timestamp": told}, at, id=ID))
        happened = one(found)
        assert (happened.kind, happened.leg, happened.seq) == (Happened.LEFT, CALLER, 4)
        return happened.at

    def rfc(moment: datetime) -> str:
        return moment.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")

    whole = (BEGAN + timedelta(seconds=60)).replace(microsecond=0)
    assert left(rfc(whole), 600) == whole + timedelta(milliseconds=999)
    assert left(rfc(whole), 60) == min(
        BEGAN + timedelta(seconds=60), whole + timedelta(seconds=0.999)
    )
    assert left(rfc(BEGAN - timedelta(hours=1)), 600) == BEGAN
    assert left("nonsense", 600) == BEGAN + timedelta(seconds=600)


def test_withheld_and_strange_callers_have_no_number() -> None:
    for told in ("anonymous", "Anonymous", "+266696687", "", "client:ann", "sip:x@y", "12"):
        assert number_of({"From": told}) == ""
    assert number_of({"From": NUMBER}) == NUMBER
    assert number_of({"From": "09055500187"}) == NUMBER


@pytest.mark.parametrize(
    ("number", "verstat", "verified"),
    [
        ("+12125550123", "TN-Validation-Passed-A", True),
        ("+12125550123", "TN-Validation-Passed-B", False),
        ("+12125550123", "TN-Validation-Passed-C", False),
        ("+12125550123", "TN-Validation-Failed-A", False),
        ("+12125550123", "No-TN-Validation", False),
        ("+12125550123", "", False),
        (NUMBER, "", True),
        (NUMBER, "No-TN-Validation", False),
        ("", "", False),
    ],
)
def test_numbers_are_verified_where_their_carrier_vouches_for_them(
    number: str, verstat: str, verified: bool
) -> None:
    form = {"StirVerstat": verstat} if verstat else {}
    (found,) = meaning(event("voice", form, id=ID, turn=TURN, number=number))
    assert isinstance(found, InboundCall)
    assert found.verified is verified
    for later in meaning(event("step", form, id=ID, turn=_turn, number=number)):
        assert isinstance(later, InboundCall | InboundMessage)
        assert not later.verified, "only the webhook of a new call says it"
