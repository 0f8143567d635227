"""The parts of a queue: its steps, figures to watch, and what becomes of whom it cannot take."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from madoguchi.model import routing

Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
MaybeKey = Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9_.-]{0,63})?$")]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Level = Annotated[int, Field(ge=1, le=5)]


class Part(BaseModel):
    """A part of an object; no unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(BaseModel):
    """What people read by a name: the company's own and, where it gave one, an English one."""

    name: Name
    name_en: str = Field("", max_length=120)

    @property
    def names(self) -> dict[str, str]:
        """Return both names; who has no English one is called by the other."""
        return {"name": self.name, "name_en": self.name_en or self.name}


class WrapUpCode(Named, Part):
    """One result that an agent may choose when the work ends."""

    key: Key


class Ageing(Part):
    """Inside a priority class: score = slope × seconds waited + boost."""

    slope: float = Field(default=1, ge=0, le=1000)
    boost: float = Field(default=0, ge=-1_000_000, le=1_000_000)

    def routed(self) -> routing.Ageing:
        """Return it as the router takes it."""
        return routing.Ageing(self.slope, self.boost)


Order = Literal["age", "service_level"]
"""What goes first inside a class: the oldest, by the queue's ageing; or what has least time left
until its queue's service level is missed.
"""


def one_order(order: Order, ageing: Ageing) -> None:
    """Refuse an ageing beside the order by service level, which leaves nothing for it to do."""
    if order == "service_level" and ageing != Ageing():
        text = "ageing has no effect in the order by service level; leave one of the two out"
        raise PydanticCustomError("order_and_ageing", text)


def routed_order(order: Order, ageing: Ageing, service_level_s: float) -> routing.Ageing:
    """Return an order as the router takes it: the time left is a boost less the target."""
    if order == "service_level":
        return routing.Ageing(1, -service_level_s)
    return ageing.routed()


class Ring(Part):
    """From ``after`` seconds on more agents may serve what waits; the steps add up."""

    after: float = Field(gt=0, le=86_400)
    relax: dict[Key, Annotated[int, Field(ge=0, le=5)]] = Field(default_factory=dict)
    add_groups: list[Key] = Field(default_factory=list, max_length=100)
    priority: int | None = Field(None, ge=1, le=100)

    @model_validator(mode="after")
    def _widens(self) -> "Ring":
        if not self.relax and not self.add_groups and self.priority is None:
            raise PydanticCustomError("ring_widens_nothing", "this step widens nothing")
        return self

    def routed(self) -> routing.Ring:
        """Return it as the router takes it."""
        return routing.Ring(self.after, self.relax, tuple(self.add_groups), self.priority)


class Overflow(Part):
    """From ``after`` seconds on what waits moves to another queue."""

    after: float = Field(gt=0, le=86_400)
    to_queue: Key

    def routed(self) -> routing.Overflow:
        """Return it as the router takes it."""
        return routing.Overflow(self.after, self.to_queue)


class Watched(Part):
    """A figure of a queue and its limit: a least for the service level, a most for the others."""

    when: routing.Figure
    over: float | None = Field(None, ge=0, le=86_400)
    under: float | None = Field(None, gt=0, le=1)

    @model_validator(mode="after")
    def _one_limit(self) -> "Watched":
        level = self.when is routing.Figure.service_level
        wanted, other = ("under", "over") if level else ("over", "under")
        if getattr(self, wanted) is None or getattr(self, other) is not None:
            facts = {"figure": self.when.value, "wanted": wanted}
            raise PydanticCustomError("help_limit", "{figure} needs a limit {wanted}", facts)
        return self

    @property
    def limit(self) -> float:
        """Return the one limit."""
        return (self.under if self.over is None else self.over) or 0.0


class Help(Watched):
    """Teams that may serve a queue as long as a figure of it is past a limit."""

    add_groups: list[Key] = Field(min_length=1, max_length=100)

    def routed(self) -> routing.Help:
        """Return it as the router takes it."""
        return routing.Help(self.when, self.limit, tuple(self.add_groups))


class Alert(Watched):
    """Supervisors are told as long as a figure of a queue is past a limit."""

    def routed(self) -> routing.Threshold:
        """Return it as the router takes it."""
        return routing.Threshold(self.when, self.limit)


class Outside(Part):
    """What becomes of a new contact while its queue is closed: it waits and the customer is told,
    or it goes to another queue; with ``callback`` the customer is offered a call, too. Without a
    text the customer is told in our words.
    """

    action: Literal["message", "queue", "callback"] = "message"
    text: str = Field(default="", max_length=1000)
    text_en: str = Field(default="", max_length=1000)
    to_queue: MaybeKey = ""

    @model_validator(mode="after")
    def _leads_somewhere(self) -> "Outside":
        if self.action == "queue" and not self.to_queue:
            raise PydanticCustomError("outside_needs_queue", "say to which queue")
        return self

    @property
    def next_queue(self) -> str:
        """Return the queue that contacts go to, none where they wait."""
        return self.to_queue if self.action == "queue" else ""


class Full(Part):
    """What becomes of a new contact that finds no place to wait: it goes to another queue, or its
    customer is told to write later. The same is told when nobody has taken it in time. Without a
    text it is told in our words.
    """

    to_queue: MaybeKey = ""
    text: str = Field(default="", max_length=1000)
    text_en: str = Field(default="", max_length=1000)


class Callback(Part):
    """Customers may be called instead of waiting: whom nobody has taken for ``after`` seconds is
    offered that, once. So many ``attempts`` are made, ``retry_s`` apart. Without a text it is
    offered in our words.
    """

    after: float | None = Field(default=None, gt=0, le=86_400)
    text: str = Field(default="", max_length=500)
    text_en: str = Field(default="", max_length=500)
    retry_s: float = Field(default=900, gt=0, le=86_400)
    attempts: int = Field(default=3, ge=1, le=10)


class Recording(Part):
    """Whether a queue's calls are recorded: never, all of them, or those whose customer agrees; for
    how many days recordings are kept. Customers are told before, in our words without a text.
    """

    when: Literal["never", "always", "agreed"] = "never"
    keep_days: int = Field(default=90, ge=1, le=3650)
    text: str = Field(default="", max_length=500)
    text_en: str = Field(default="", max_length=500)


def callback_in_time(callback: Callback, outside: Outside, max_wait_s: float) -> None:
    """Refuse a call that nobody is ever offered: because nothing says when, or because the wait
    ends before.
    """
    if callback != Callback() and callback.after is None and outside.action != "callback":
        text = "say after how long a call is offered, or offer it outside the opening hours"
        raise PydanticCustomError("callback_no_way", text)
    if max_wait_s and callback.after is not None and callback.after >= max_wait_s:
        facts = {"after": callback.after, "max_wait_s": max_wait_s}
        text = "the wait ends after {max_wait_s} s, before a call is offered after {after} s"
        raise PydanticCustomError("callback_too_late", text, facts)
