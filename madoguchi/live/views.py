"""Views: how an entity looks to a desk or to a visitor, rendered when it is delivered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from madoguchi.model.log import Entity
from madoguchi.model.people import Actor
from madoguchi.store.work import Work


@dataclass(frozen=True, slots=True)
class View:
    """An entity as it stands: its version, who may have it now, and its body for pages."""

    version: int
    audience: frozenset[str]
    body: Mapping[str, Any]


Render = Callable[[Sequence[str]], Work[dict[str, View]]]
"""ids → id → view; ids that are gone are left out and become tombstones."""

Contents = Callable[[Actor], Work[list[str]]]
"""actor → ids of one entity in the actor's fresh snapshot."""


@dataclass
class Views:
    """Renderers and snapshot contents by entity, one set for desks and one for visitors."""

    desk: dict[Entity, Render] = field(default_factory=dict)
    visitor: dict[Entity, Render] = field(default_factory=dict)
    contents: dict[Entity, Contents] = field(default_factory=dict)

    def render(self, entity: Entity, ids: Sequence[str], *, visitor: bool) -> Work[dict[str, View]]:
        """Render entities of one kind; unknown kinds have no view."""
        renderer = (self.visitor if visitor else self.desk).get(entity)
        if renderer is None or not ids:
            return {}
        return (yield from renderer(ids))
