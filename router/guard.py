"""What the router forbids a new configuration: taking away a queue that has work."""

from sqlalchemy import func, select

from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations.tables import work_item
from madoguchi.model.conversation import UNFINISHED
from madoguchi.model.faults import Fault
from madoguchi.store.work import Work


def queues_in_use(old: Catalog, new: Catalog) -> Work[list[Fault]]:
    """Return a fault for each removed queue that still has unfinished work items."""
    gone = sorted(set(old.queues) - set(new.queues))
    if not gone:
        return []
    rows = yield (
        select(work_item.c.queue, func.count().label("n"))
        .where(work_item.c.queue.in_(gone), work_item.c.state.in_([s.value for s in UNFINISHED]))
        .group_by(work_item.c.queue)
    )
    return [
        Fault(
            f"queue.{r.queue}",
            f"{r.n} conversations are in this queue; transfer or end them",
            "has_work",
            {"count": r.n},
        )
        for r in rows
    ]
