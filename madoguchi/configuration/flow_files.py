"""Sound files that flows play must be there when a flow is saved."""

from sqlalchemy import select

from madoguchi.configuration.catalog import Catalog
from madoguchi.files.tables import file
from madoguchi.model.faults import Fault
from madoguchi.store.work import Work


def missing_files(old: Catalog, new: Catalog) -> Work[list[Fault]]:
    """Return a fault for each newly named sound file that is not there: configuration's guard."""
    named = {at: id for at, id in new.sounds.items() if old.sounds.get(at) != id}
    if not named:
        return []
    rows = yield select(file.c.id).where(
        file.c.id.in_(set(named.values())), file.c.media_type.startswith("audio/")
    )
    there = {row.id for row in rows}
    text = "this sound file is not there"
    return [Fault(at, text, "no_such_file") for at, id in named.items() if id not in there]
