"""What the router's REST takes."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from madoguchi.conversations.routes import Uuid
from madoguchi.http.table import Body

Short = Annotated[str, Field(max_length=120)]
Words = Annotated[str, Field(min_length=1, max_length=4000)]


class WorkBody(Body):
    """Which work of a conversation is meant: that of its texts, or of its call; by default the only
    one, and that of the texts where there are both.
    """

    of: Literal["text", "call"] | None = None


class DeclineBody(Body):
    """Why an offer is declined."""

    reason: Literal["busy", "break", "skill", "other"] = "busy"


class TransferBody(WorkBody):
    """Where to, why, and what the next agent must know."""

    queue: Short | None = None
    agent: Uuid | None = None
    reason: Annotated[str, Field(min_length=1, max_length=120)]
    summary: Words

    @model_validator(mode="after")
    def _one(self) -> "TransferBody":
        if (self.queue is None) == (self.agent is None):
            raise ValueError("name either a queue or an agent")
        return self


class EndBody(WorkBody):
    """Up to where this desk has shown the customer's texts."""

    inbound_seq: Annotated[int, Field(ge=0, le=2**31 - 1)]


class WrapUpBody(WorkBody):
    """What came of it."""

    code: Short = ""
    note: Annotated[str, Field(max_length=4000)] = ""


class CallBody(WorkBody):
    """What came of calling a customer who asked for it."""

    outcome: Literal["reached", "missed", "given_up"]


class PresenceBody(Body):
    """What people set."""

    presence: Literal["available", "away", "offline"]
    reason: Short = ""


class AwayBody(Body):
    """Why an agent will be away."""

    reason: Short = ""


class SignOutBody(Body):
    """What happens to open work."""

    open_work: Literal["requeue", "keep"]


class CapacityBody(Body):
    """Capacity units."""

    units: Annotated[int, Field(ge=0, le=50)]


class AssignBody(WorkBody):
    """Who shall have it."""

    agent: Uuid


class PriorityBody(Body):
    """A priority class, 1 is served first."""

    priority: Annotated[int, Field(ge=1, le=100)]


class MoveBody(Body):
    """A place in the line of its queue, 1 for the first; a larger one than there are: the last."""

    place: Annotated[int, Field(ge=1, le=1_000_000)]
