"""What people set for themselves and find again on every machine: keys, the customer's blocks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from agent_ui.tables import preference
from madoguchi.http.table import Body
from madoguchi.model.ids import Id
from madoguchi.store.work import Work, only

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z_-]{0,31}$")]
Names = Annotated[list[Name], Field(max_length=40)]


class PreferencesBody(Body):
    """Only what is given changes.

    ``keys``: act → its key as the desk writes it (``F4``, ``Shift+F2``, ``g m``), empty: none;
    acts that are not named have their first key. ``order`` and ``folded``: blocks of the
    customer's panel by name.
    """

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
        .values(agent=agent, body={}, at=now)
        .on_conflict_do_nothing(index_elements=["agent"])
    )
    rows = yield select(preference.c.body).where(preference.c.agent == agent).with_for_update()
    yield (
        update(preference)
        .where(preference.c.agent == agent)
        .values(body={**rows[0].body, **changed}, at=now)
    )
