"""What the widget's REST takes and gives, for its checks and for the OpenAPI document."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from madoguchi.http.table import Body
from madoguchi.model.ids import is_id


class VisitorBody(Body):
    """What a widget sends; an older or newer script in a site's cache may say more."""

    model_config = ConfigDict(extra="ignore", frozen=True, str_max_length=65_536)


class SessionBody(VisitorBody):
    """A new visitor's language."""

    language: str = ""


class OfflineBody(VisitorBody):
    """A message while nobody is there; repeating the ``id`` is safe."""

    id: Annotated[str, Field(description="a UUID made by the page; one is made without it")] = ""
    text: Annotated[str, Field(min_length=1)]
    name: str = ""
    mail: str = ""
    phone: str = ""
    language: str = ""
    attributes: Annotated[
        dict[str, Any], Field(description="what the page tells of the matter; see routing")
    ] = Field(default_factory=dict, max_length=200)

    @property
    def fits(self) -> bool:
        """Tell whether the id is none or a UUID."""
        return not self.id or is_id(self.id)


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
ABOUT = _object(
    name=_TEXT,
    name_en=_TEXT,
    greeting=_TEXT,
    greeting_en=_TEXT,
    language={"enum": ["ja", "en"]},
    online={"type": "boolean"},
    open={"type": "boolean"},
    opens={"type": ["string", "null"], "format": "date-time"},
    wait_min={"type": ["integer", "null"]},
    time_zone=_TEXT,
    upload_limit=_COUNT,
    text_limit={"type": ["integer", "null"]},
    color=_TEXT,
    calls={"enum": ["none", "voice", "video"]},
    ice={"type": "array", "items": {"type": "object"}},
    recording=_object(when={"enum": ["never", "always", "agreed"]}, text=_TEXT, text_en=_TEXT),
    topics={
        "type": "array",
        "items": _object(key=_TEXT, name=_TEXT, name_en=_TEXT, open={"type": "boolean"}),
    },
)
SESSION = _object(token=_TEXT, visitor=_TEXT)
STORED = _object(id=_TEXT, name=_TEXT, media_type=_TEXT, size=_COUNT)
LINK = _object(url={"type": "string", "format": "uri"})
