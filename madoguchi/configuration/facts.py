"""What routing rules may ask of a contact: names, types, limits; see docs/routing.md."""

from madoguchi.expressions.cel import Variable, Vocabulary

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
