"""REST of what gives most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from madoguchi.configuration.routes import V1
from madoguchi.http.table import Call, Nothing, Operation
from madoguchi.security.permissions import Action, NotFound
from router.trials.routes import TrialBody, wanted
from router.trials.search import Asked, KeptSearch, Searches


class SearchBody(TrialBody):
    """A day and changes as a trial takes them: moves are looked for on top of these."""

    queue: Annotated[str, Field(max_length=64)] = ""
    figure: Literal["service_level", "mean_wait_s", "abandoned"] = "service_level"


@dataclass(frozen=True)
class SearchApi:
    """The operations of searches."""

    searches: Searches

    def operations(self) -> list[Operation]:
        """Return this part of the route table."""
        every, one, may = f"{V1}/moves", f"{V1}/moves/{{id}}", Action.TUNE
        return [
            Operation(
                "POST",
                every,
                self.begin,
                "Look for the moves that give a day most",
                SearchBody,
                status=202,
                action=may,
            ),
            Operation("GET", one, self.get, "An own search's moves so far", action=may),
            Operation(
                "DELETE", one, self.cancel, "End and forget an own search", status=204, action=may
            ),
        ]

    async def begin(self, call: Call[SearchBody]) -> Any:
        """Check the changes as saving does, and let the search begin when it is its turn."""
        body = call.body
        what = wanted(body, self.searches.configuration)
        kept = await self.searches.begin(call.actor.id, Asked(what, body.figure, body.queue))
        return {"id": kept.id}

    async def get(self, call: Call[Nothing]) -> Any:
        """Return a search's state, progress and moves."""
        return self._own(call).view()

    async def cancel(self, call: Call[Nothing]) -> None:
        """End a search."""
        self.searches.turns.cancel(self._own(call))

    def _own(self, call: Call[Nothing]) -> KeptSearch:
        found = self.searches.find(call.actor.id, call.id())
        if found is None:
            raise NotFound("search")
        return found
