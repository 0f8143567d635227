"""The pure part of the fake: order of statuses, order of callbacks, segments, JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.demo.twilio_message import NEXT, PATHS, Message, WrongOrder, planned, segments
from madoguchi.demo.twilio_rules import Modes
from tests.demo.stage import CUSTOMER, NUMBER, SID

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
STATUSES = ("queued", "sending", "sent", "delivered", "undelivered", "failed", "received", "read")
ENDS = {"delivered", "undelivered", "failed"}


def queued() -> Message:
    sid = "SM" + "1" * 32
    return Message(sid, SID, NUMBER, CUSTOMER, "hi", "queued", "outbound-api", NOW, NOW)


@given(st.lists(st.sampled_from(STATUSES), max_size=12))
def test_statuses_never_go_back_and_end_once(wanted: list[str]) -> None:
    message, seen, now = queued(), ["queued"], NOW
    for status in wanted:
        now += timedelta(seconds=1)
        if status in NEXT.get(message.status, frozenset()):
            message = message.moved(status, now)
            seen.append(status)
            assert message.updated == now
        else:
            with pytest.raises(WrongOrder):
                message.moved(status, now)
    assert len(set(seen)) == len(seen)
    assert all(status not in ENDS for status in seen[:-1])
    assert (message.sent is not None) == ("sent" in seen)
    assert (message.error is not None) == (seen[-1] in {"undelivered", "failed"})


@pytest.mark.parametrize("outcome", PATHS)
def test_every_outcome_can_be_reached(outcome: str) -> None:
    message = queued()
    for status in PATHS[outcome]:
        message = message.moved(status, NOW)
    assert message.status == outcome
    assert message.status not in NEXT


@given(
    st.integers(2, 5), st.booleans(), st.booleans(), st.sampled_from(["delivered", "undelivered"])
)
def test_callbacks_are_all_there_and_shuffled_is_never_in_order(
    length: int, doubled: bool, shuffled: bool, outcome: Any
) -> None:
    reached = [queued() for _ in range(length)]
    found = planned(reached, Modes(doubled=doubled, shuffled=shuffled, outcome=outcome))
    order = [next(n for n, one in enumerate(reached) if one is f) for f in found]
    times = 2 if doubled else 1
    assert sorted(order) == [n for n in range(length) for _ in range(times)]
    assert (order == sorted(order)) is not shuffled
    assert planned(reached, Modes(callbacks=False, doubled=doubled)) == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("あ" * 70, 1),
        ("あ" * 71, 2),
        ("☕" * 134, 2),
        ("👍" * 35, 1),
        ("👍" * 36, 2),
    ],
)
def test_segments(text: str, parts: int) -> None:
    assert segments(text) == parts


def test_resource_has_the_fields_and_forms_of_the_public_description() -> None:
    assert queued().moved("sending", NOW).moved("sent", NOW).resource() == {
        "account_sid": SID,
        "api_version": "2010-04-01",
        "body": "hi",
        "date_created": "Sun, 22 Nov 2026 05:00:00 +0000",
        "date_sent": "Sun, 22 Nov 2026 05:00:00 +0000",
        "date_updated": "Sun, 22 Nov 2026 05:00:00 +0000",
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": NUMBER,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "JPY",
        "sid": "SM" + "1" * 32,
        "status": "sent",
        "subresource_uris": {
            "media": f"/2010-04-01/Accounts/{SID}/Messages/SM{'1' * 32}/Media.json"
        },
        "to": CUSTOMER,
        "uri": f"/2010-04-01/Accounts/{SID}/Messages/SM{'1' * 32}.json",
    }
