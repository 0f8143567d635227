"""What conditions may ask of a contact or an agent: names, types, limits; see docs/routing.md."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from madoguchi.expressions.cel import Refused, Variable, Vocabulary

TEXT = 1000
"""Characters of a contact's first text that rules are shown."""

ATTRIBUTES = 40
"""Attributes that a contact or a customer may have."""

ATTRIBUTE = 200
"""Characters of an attribute's value."""

TOLD = ("product", "problem", "case", "location")
"""Attributes with a name of their own: whoever tells them, the page or the business."""

SIGNED = ("partner", "contract", "segment")
"""Attributes with a name of their own that only the business may tell, signed."""

CONTACT = Vocabulary(
    {
        "channel": Variable("text", 16),
        "account": Variable("text", 64),
        "topic": Variable("text", 120),
        "language": Variable("text", 8),
        "text": Variable("text", TEXT),
        "address": Variable("text", 320),
        "page": Variable("text", 500),
        **{name: Variable("text", ATTRIBUTE) for name in (*TOLD, *SIGNED)},
        "attributes": Variable("text_map", ATTRIBUTE, ATTRIBUTES),
        "verified": Variable("text_map", ATTRIBUTE, ATTRIBUTES),
        "customer.known": Variable("bool"),
        "customer.id": Variable("text", 320),
        "customer.name": Variable("text", 120),
        "customer.language": Variable("text", 8),
        "now.date": Variable("text", 10),
        "now.hour": Variable("int"),
        "now.minute": Variable("int"),
        "now.weekday": Variable("text", 3),
    }
)
"""What the rules that choose a queue may speak of."""

FLOW = Vocabulary(
    {**CONTACT.variables, "answers": Variable("text_map", ATTRIBUTE, ATTRIBUTES)}, budget=20_000
)
"""What the branches of a call's flow may speak of; ``answers`` is what the caller has chosen. Who
the customer is has not been looked up at that time.
"""

SKILLS = "agent.skills"
ENTRIES = 20
"""Texts of a list that is an agent's attribute, of at most 50 characters each."""

AGENT = Vocabulary(
    {
        "agent": Variable("any_map", 50 * ENTRIES, ATTRIBUTES),
        "agent.key": Variable("text", 64),
        "agent.name": Variable("text", 120),
        "agent.language": Variable("text", 8),
        "agent.teams": Variable("texts", 64, 100),
        SKILLS: Variable("int_map", 64, 500),
    },
    # Asked once for every agent whenever the configuration changes.
    budget=20_000,
)
"""What a queue's condition on its agents may speak of; ``agent`` holds their attributes."""

OWN = frozenset(name.partition(".")[2] for name in AGENT.variables if "." in name)
"""Names that mean something of every agent: no attribute may hide behind them."""


def _compiles(vocabulary: Vocabulary) -> AfterValidator:
    def check(when: str) -> str:
        try:
            if when or vocabulary is CONTACT:
                vocabulary.compile(when)
        except Refused as wrong:
            place = "line {line}, column {column}: "
            # Braces in the reason would be taken for more facts.
            said = str(wrong).replace("{", "{{").replace("}", "}}")
            raise PydanticCustomError(wrong.type, place + said, wrong.facts) from wrong
        return when

    return AfterValidator(check)


ContactCondition = Annotated[str, _compiles(CONTACT)]
AgentCondition = Annotated[str, _compiles(AGENT)]
FlowCondition = Annotated[str, _compiles(FLOW)]
"""Empty: no condition."""


def _not_own(name: str) -> str:
    if name in OWN:
        text = "{name} is something that every agent has; call the attribute otherwise"
        raise PydanticCustomError("attribute_taken", text, {"name": name})
    return name


AttributeName = Annotated[
    str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]{0,39}$"), AfterValidator(_not_own)
]
Attribute = (
    bool
    | Annotated[int, Field(ge=-(2**53), le=2**53)]
    | Annotated[float, Field(allow_inf_nan=False)]
    | Annotated[str, Field(max_length=ATTRIBUTE)]
    | Annotated[list[Annotated[str, Field(max_length=50)]], Field(max_length=ENTRIES)]
)
