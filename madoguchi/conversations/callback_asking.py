"""What customers say of a call, decided in memory. Pure: no statement, no clock."""

from datetime import timedelta

from madoguchi.conversations import callbacks, choice, outside
from madoguchi.conversations.callbacks import ASKED, CANCELLED, Wish, Words
from madoguchi.conversations.ledger import Arrival, Ledger
from madoguchi.model.conversation import Conversation, ConversationState
from madoguchi.model.inbound import InboundCallback
from madoguchi.model.people import Identity
from unified_profile.identity import Called, called

ON_ITS_WAY = timedelta(seconds=10)
"""How long a click may need from a customer's page to us."""


def wrote(ledger: Ledger, arrival: Arrival, one: Conversation, sender: Identity, text: str) -> None:
    """Let a text that answers our offer count: the word, with a number or without."""
    said = callbacks.understood(text) if _may_ask(ledger, one) else None
    if said is None:
        return
    if not said.wanted:
        _cancel(ledger, arrival, one)
        return
    _ask(ledger, arrival, one, _meant(one, sender, said), named=bool(said.number))


def _meant(one: Conversation, sender: Identity, said: Words) -> Called | None:
    return called(said.number) if said.number else callbacks.number_of(one, sender)


def clicked(ledger: Ledger, arrival: Arrival, inbound: InboundCallback) -> None:
    """Let what a customer's client says count, where a call was offered."""
    for one in ledger.of_thread((arrival.account.id, inbound.thread)):
        if inbound.act == "ask" and _just_ended(one, arrival):
            one = _go_on(ledger, one)
        if one.state is ConversationState.CLOSED or not _may_ask(ledger, one):
            continue
        if inbound.act == "ask":
            _ask(ledger, arrival, one, called(inbound.number), named=True)
        elif inbound.act == "cancel" or callbacks.wish_since(one) is None:
            _cancel(ledger, arrival, one)


def waits_for_call(ledger: Ledger, one: Conversation) -> bool:
    """Tell whether the customer has asked to be called and nobody has reached them yet."""
    return callbacks.wish(one, ledger.items.get(one.id)).get("state") == Wish.ASKED


def _just_ended(one: Conversation, arrival: Arrival) -> bool:
    """Tell whether a wait ended while its customer's wish to be called was on its way: their page
    still showed the offer.
    """
    if one.state is not ConversationState.CLOSED or one.closed_at is None:
        return False
    offered = (one.context.get(callbacks.MARK) or {}).get("state") == Wish.OFFERED
    return offered and arrival.received_at <= one.closed_at + ON_ITS_WAY


def _go_on(ledger: Ledger, one: Conversation) -> Conversation:
    """Return an ended conversation as it waits again, as if the wish had come before the end."""
    item = ledger.new_id()
    again = ledger.change(
        one,
        state=ConversationState.OPEN,
        closed_at=None,
        context=callbacks.carried(one, item),
        unanswered_since=one.inbound_at,
    )
    ledger.add_item(choice.resumed(again, item, ledger.now))
    return again


def _may_ask(ledger: Ledger, one: Conversation) -> bool:
    """Tell whether a call was offered, and nobody has the customer before the eyes."""
    state = callbacks.wish(one, ledger.items.get(one.id)).get("state")
    if state == Wish.ASKED:
        return True
    return one.owner is None and state in {Wish.OFFERED, Wish.DECLINED}


def _ask(
    ledger: Ledger, arrival: Arrival, one: Conversation, to: Called | None, *, named: bool
) -> None:
    language, stream = one.language, arrival.capabilities.stream
    if to is None:
        word = "wrong" if named else "how"
        _answer(ledger, arrival, one, callbacks.say(language, word))
        return
    before = callbacks.wish_since(one)
    if before is not None and one.context[callbacks.MARK]["number"] == to.number:
        return
    ledger.change(one, context=callbacks.asked(one, to, ledger.now))
    told = callbacks.say(language, "changed" if before else "asked", number=to.shown)
    if not stream:
        told += "\n" + callbacks.say(language, "askedHow")
    _answer(ledger, arrival, one, told)
    ledger.tell(one.id, ASKED, item=ledger.items[one.id])


def _cancel(ledger: Ledger, arrival: Arrival, one: Conversation) -> None:
    """Let the customer wait as others do; where nothing was asked for, only the offer is over."""
    wanted = callbacks.wish_since(one) is not None
    context = callbacks.marked(one, state=Wish.DECLINED.value, next_at=None)
    ledger.change(one, context=context)
    if wanted:
        _answer(ledger, arrival, one, callbacks.say(one.language, "cancelled"))
        ledger.tell(one.id, CANCELLED, item=ledger.items[one.id])


def _answer(ledger: Ledger, arrival: Arrival, one: Conversation, text: str) -> None:
    if not arrival.account.paused:
        now = ledger.conversations[one.id]
        told = outside.message(ledger.new_id(), now, arrival.capabilities, text, ledger.now)
        ledger.answer(told)
