"""What the router's decisions mean for conversations and calls; part of its transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from madoguchi.configuration.queue_parts import Full
from madoguchi.conversations import acts, callback_telling
from madoguchi.conversations.callbacks import GIVEN_UP
from madoguchi.conversations.calls.following import Wanted, follow
from madoguchi.conversations.closing import close
from madoguchi.conversations.turning_away import FULL, WAITED, Away, closed_words
from madoguchi.model.ids import Id
from madoguchi.model.routing import ItemFacts, ItemState
from madoguchi.store.work import Work

if TYPE_CHECKING:
    from router.changes import Changes


@dataclass
class Moves:
    """Conversations that have another queue, and that have another owner, than before; and what
    the items of calls want of them.
    """

    queues: dict[Id, str] = field(default_factory=dict)
    owners: dict[Id, Id | None] = field(default_factory=dict)
    calls: dict[Id, Wanted] = field(default_factory=dict)

    def note(self, changes: Changes, facts: ItemFacts, before: tuple[str, Id | None]) -> None:
        """Take in an item that has changed: where it was, and who had it.

        A conversation is its text item's; a call's where there is none.
        """
        spec = facts.spec
        over = spec.id in changes.closed
        texts = changes.kept.texts_of.get(spec.conversation)
        if before != (spec.queue, None if over else facts.owner):
            self.owners[spec.conversation] = _owner(changes, spec.conversation)
        if before[0] != spec.queue and texts in {None, spec.id}:
            self.queues[spec.conversation] = spec.queue
        if spec.exclusive:
            mine = facts.owner if facts.state is ItemState.assigned and not over else None
            waits = facts.state in {ItemState.waiting, ItemState.offered} and not over
            why = "" if mine or waits else changes.away.get(spec.id) or "ended"
            queue = changes.catalog.queues.get(spec.queue)
            when = queue.object.recording.when if queue is not None else "never"
            recorded = {"always": True, "never": False}.get(when)
            self.calls[spec.id] = Wanted(mine, why, spec.queue, recorded)


def _owner(changes: Changes, conversation: Id) -> Id | None:
    for item in changes.kept.of(conversation):
        if item not in changes.closed and (owner := changes.facts(item).owner):
            return owner
    return None


def write(changes: Changes, moves: Moves) -> Work[None]:
    """Store whose conversations are, which end, what their customers are told; calls follow."""
    now, new_id = changes.now, changes.new_id
    ends = {id: at for id, at in changes.ends.items() if not _goes_on(changes, id)}
    shown = [
        facts.spec.conversation
        for id in (changes.wrapped | changes.resumed) - set(changes.closed)
        if (facts := changes.engine.item(id)) is not None
    ]
    called = (changes.engine.item(id) for id in changes.calls.turned if id not in changes.closed)
    known = [one for one in called if one is not None]
    news = changes.calls.news(known, changes.catalog, now)
    yield from acts.hold(moves.queues, moves.owners, ends, shown, news)
    if moves.queues:
        yield from acts.moved(moves.queues, now)
    if moves.owners:
        yield from acts.owned(moves.owners, now)
    yield from callback_telling.tell(news, changes.line, now, new_id)
    if ends:
        yield from _close(changes, ends)
    yield from acts.tell_again(shown, now)
    yield from follow(moves.calls, now, new_id, lambda account: _records(changes, account))


def _records(changes: Changes, account: Id) -> bool:
    """Tell whether an account's calls can be recorded."""
    line = changes.line(account)
    return line is not None and line.capabilities.records


def _goes_on(changes: Changes, conversation: Id) -> bool:
    """Tell whether a conversation whose work ended has other work: a call beside its texts."""
    return any(item not in changes.closed for item in changes.kept.of(conversation))


def _close(changes: Changes, ends: dict[Id, int]) -> Work[None]:
    done = {changes.last[id].spec.conversation: changes.wrap_ups.get(id) for id in changes.closed}
    results = {c: w for c, w in done.items() if w}
    away = _turned_away(changes)
    # The text that asked for a place stands behind the item that it made.
    ends = ends | {c: changes.heard for c, one in away.items() if one.why == FULL and c in ends}
    calls = {
        spec.conversation
        for id in changes.closed
        if (spec := changes.last[id].spec).exclusive and changes.last[id].taken
    }
    yield from close(ends, changes.now, changes.new_id, results, away, calls)


def _turned_away(changes: Changes) -> dict[Id, Away]:
    """Return conversation → why it ends though its customer was not served."""
    found = {}
    for item, why in changes.away.items():
        spec = changes.last[item].spec
        queue = changes.catalog.queues.get(spec.queue)
        if queue is not None:
            words = Full() if why == GIVEN_UP else queue.object.full
            now = changes.catalog.opening(spec.queue, changes.now)
            if why == WAITED and not now.open:
                words = closed_words(now)
            found[spec.conversation] = Away(why, words, changes.line)
    return found
