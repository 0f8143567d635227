"""How far a message has come, whatever order the receipts come in; and when it happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from madoguchi.model.conversation import MessageState, advance, occurred_at

OUT = [s for s in MessageState if s is not MessageState.RECEIVED]
ORDER = ["queued", "sending", "unknown", "sent", "delivered", "read"]
RECEIPTS = st.lists(st.sampled_from(OUT), max_size=12)
MOMENTS = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def final(receipts: list[MessageState]) -> MessageState:
    return reduce(advance, receipts, MessageState.QUEUED)


@given(RECEIPTS, st.randoms())
def test_any_order_and_repetition_ends_the_same(receipts: list[MessageState], dice: object) -> None:
    shuffled = list(receipts) * 2
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    ordered = sorted(receipts, key=lambda s: ORDER.index(s) if s in ORDER else -1)
    assert final(shuffled) is final(receipts) is final(ordered)


@given(RECEIPTS)
def test_the_end_is_the_farthest_that_was_told(receipts: list[MessageState]) -> None:
    end = final(receipts)
    told = {"queued", *receipts}
    best = max((ORDER.index(s) for s in told if s in ORDER), default=0)
    if "failed" in told and best < ORDER.index("delivered"):
        assert end is MessageState.FAILED
    else:
        assert end == ORDER[best]


@given(st.sampled_from(MessageState), st.sampled_from(OUT))
def test_a_step_never_goes_back(now: MessageState, told: MessageState) -> None:
    after = advance(now, told)
    assert advance(after, told) is after
    if now is MessageState.RECEIVED:
        assert after is now
    if now in {MessageState.DELIVERED, MessageState.READ}:
        assert after in {now, MessageState.READ}


@given(st.none() | MOMENTS, MOMENTS)
def test_a_provider_may_be_a_day_early_and_never_late(
    provider: datetime | None, received: datetime
) -> None:
    at = occurred_at(provider, received)
    assert received - timedelta(hours=24) <= at <= received
    if provider is None:
        assert at == received
    elif received - timedelta(hours=24) <= provider <= received:
        assert at == provider
