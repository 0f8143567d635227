"""REST of trials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from madoguchi.configuration import text
from madoguchi.configuration.kinds import Account, RoutingRule
from madoguchi.configuration.routes import V1
from madoguchi.configuration.service import Change, Configuration, Invalid
from madoguchi.http.table import Body, Call, Nothing, Operation
from madoguchi.model.faults import Fault
from madoguchi.security.permissions import Action, NotFound
from router.trials.service import KeptTrial, Trials, Wanted

NOT_TRIED = frozenset({Account.kind, RoutingRule.kind})
"""What decides before a contact comes to its queue: a recorded day begins behind it."""


class ChangeBody(Body):
    """An object as it would be saved, None: deleted; ``based_on`` as in If-Match."""

    kind: str
    key: str
    body: dict[str, Any] | None
    based_on: int | None = None


FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)


class TrialBody(Body):
    """What is to be tried: changes one by one or as TOML, on a day, with so many contacts for each
    recorded one; ``weeks``: on a day drawn from the same weekdays of so many weeks before.
    """

    day: Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
    changes: Annotated[list[ChangeBody], Field(max_length=200)] = Field(default_factory=list)
    toml: Annotated[str, Field(max_length=1_000_000)] = ""
    factor: Annotated[float, Field(ge=0.1, le=5)] = 1.0
    weeks: Annotated[int, Field(ge=0, le=12)] = 0


@dataclass(frozen=True)
class TrialApi:
    """The operations of trials."""

    trials: Trials
    configuration: Configuration

    def operations(self) -> list[Operation]:
        """Return this part of the route table."""
        every, one, may = f"{V1}/trials", f"{V1}/trials/{{id}}", Action.TUNE
        return [
            Operation("GET", f"{every}/days", self.days, "Days that can be tried", action=may),
            Operation(
                "POST",
                every,
                self.begin,
                "Replay a day by a changed configuration",
                TrialBody,
                status=202,
                action=may,
            ),
            Operation("GET", one, self.get, "An own trial's figures so far", action=may),
            Operation(
                "DELETE", one, self.cancel, "End and forget an own trial", status=204, action=may
            ),
        ]

    async def days(self, call: Call[Nothing]) -> Any:
        """Return the first and last day with contacts, and the last one before today."""
        return await self.trials.days.bounds()

    async def begin(self, call: Call[TrialBody]) -> Any:
        """Check the changes as saving does, and let the trial begin when it is its turn."""
        kept = await self.trials.begin(call.actor.id, wanted(call.body, self.configuration))
        return {"id": kept.id}

    async def get(self, call: Call[Nothing]) -> Any:
        """Return a trial's state, progress and figures."""
        return self._own(call).view()

    async def cancel(self, call: Call[Nothing]) -> None:
        """End a trial."""
        self.trials.cancel(self._own(call))

    def _own(self, call: Call[Nothing]) -> KeptTrial:
        found = self.trials.find(call.actor.id, call.id())
        if found is None:
            raise NotFound("trial")
        return found


def wanted(body: TrialBody, configuration: Configuration) -> Wanted:
    """Return what a body asks for. Raises Invalid for what no trial can try."""
    changes = [Change(c.kind, c.key, c.body, c.based_on) for c in body.changes]
    based_on = None
    if body.toml:
        changes += text.changes(body.toml, configuration.catalog)
        based_on = text.based_on(body.toml)
    if faults := [_not_tried(one) for one in changes if one.kind in NOT_TRIED]:
        raise Invalid(faults)
    return Wanted(body.day, changes, body.factor, body.weeks, based_on)


def _not_tried(change: Change) -> Fault:
    text = "a replay keeps the queues that contacts came to, so this cannot be tried"
    return Fault(f"{change.kind}.{change.key}", text, "not_tried")
