"""What people set for themselves and find again on every machine, at once where a desk is open."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from agent_ui.tables import preference
from madoguchi.http.table import Body
from madoguchi.live.views import View
from madoguchi.model import log
from madoguchi.model.ids import Id
from madoguchi.model.log import Entity, LogEntry
from madoguchi.model.people import Actor
from madoguchi.store.log import append
from madoguchi.store.work import Work, only

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z_-]{0,31}$")]
Names = Annotated[list[Name], Field(max_length=40)]


class PreferencesBody(Body):
    """Only what is given changes.

    ``keys``: act → its key as the desk writes it (``F4``, ``Shift+F2``, ``g m``), empty: none;
    acts that are not named have their first key. ``order`` and ``folded``: blocks of the
    customer's panel by name.
    """

    theme: Literal["system", "light", "dark"] | None = None
    language: Literal["ja", "en"] | None = None
    keys: dict[Name, Annotated[str, Field(max_length=24, pattern=r"^[\x20-\x7e]*$")]] | None = (
        Field(None, max_length=60)
    )
    letter_keys: bool | None = None
    enter_sends: bool | None = None
    order: Names | None = None
    folded: Names | None = None


def load(agent: Id) -> Work[dict[str, Any]]:
    """Return what an agent has set; what was never set is missing."""
    row = only((yield select(preference.c.body).where(preference.c.agent == agent)))
    return dict(row.body) if row else {}


def save(agent: Id, changed: Mapping[str, Any], now: datetime) -> Work[None]:
    """Change some of an agent's preferences; two desks that change different ones both win."""
    yield (
        insert(preference)
        .values(agent=agent, body={}, at=now, version=0)
        .on_conflict_do_nothing(index_elements=["agent"])
    )
    here = preference.c.agent == agent
    row = (yield select(preference).where(here).with_for_update())[0]
    version = row.version + 1
    new = {"body": {**row.body, **changed}, "at": now, "version": version}
    yield update(preference).where(here).values(**new)
    mine = (log.agent(agent),)
    yield append([LogEntry("preferences.set", Entity.PREFERENCES, agent, version, mine, now)])


def views(agents: Sequence[str]) -> Work[dict[str, View]]:
    """Render preferences for their owner's own desks."""
    rows = yield select(preference).where(preference.c.agent.in_(sorted(agents)))
    return {
        r.agent: View(
            r.version,
            frozenset({log.agent(r.agent)}),
            {"id": r.agent, "version": r.version, "preferences": r.body},
        )
        for r in rows
    }


def snapshot(actor: Actor) -> Work[list[str]]:
    """Return whose preferences a fresh desk of an actor holds."""
    rows = yield select(preference.c.agent).where(preference.c.agent == actor.id)
    return [r.agent for r in rows]
