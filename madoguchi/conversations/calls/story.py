"""A call's place in its conversation's story."""

from datetime import datetime

from madoguchi.conversations.calls.repository import Call
from madoguchi.model.conversation import Author, Direction, Message, MessageState, Visibility
from madoguchi.model.ids import Id

CALL = "call"
"""The line of a conversation's story that stands for a call."""


def line(id: Id, call: Call, direction: Direction, at: datetime) -> Message:
    """Return the line that stands for a call; what it became is the call's to say."""
    return Message(
        id=id,
        conversation=call.conversation,
        author=Author.SYSTEM,
        direction=direction,
        visibility=Visibility.INTERNAL,
        channel=call.channel,
        account=None,
        identity=None,
        agent=None,
        parts=({"type": "system", "code": CALL, "data": {"call": call.id}},),
        state=MessageState.RECEIVED if direction is Direction.IN else MessageState.SENT,
        provider_at=None,
        received_at=at,
    )
