"""The entities of the live streams: how each looks, and which of them a desk begins with."""

from agent_ui import preferences
from madoguchi.conversations import views as conversation_views
from madoguchi.conversations.calls import views as call_views
from madoguchi.conversations.calls.views import CallViews
from madoguchi.conversations.views import ConversationViews
from madoguchi.live.views import Views
from madoguchi.model.log import Entity
from router.views import RouterViews


def entity_views(render: ConversationViews, router_views: RouterViews, calls: CallViews) -> Views:
    """Return the renderers of each entity, and what is in a fresh snapshot of it."""
    return Views(
        desk={
            Entity.CONVERSATION: render.desk,
            Entity.MESSAGE: render.messages,
            Entity.DRAFT: render.drafts,
            Entity.CUSTOMER: conversation_views.customers,
            Entity.ITEM: router_views.items,
            Entity.OFFER: router_views.offers,
            Entity.AGENT: router_views.agents,
            Entity.PREFERENCES: preferences.views,
            Entity.CALL: calls.desk,
        },
        visitor={
            Entity.CONVERSATION: render.visitor,
            Entity.MESSAGE: render.visitor_messages,
            Entity.CALL: calls.visitor,
        },
        contents={
            Entity.CONVERSATION: conversation_views.snapshot_conversations,
            Entity.DRAFT: conversation_views.snapshot_drafts,
            Entity.ITEM: router_views.snapshot_items,
            Entity.OFFER: router_views.snapshot_offers,
            Entity.AGENT: router_views.snapshot_agents,
            Entity.PREFERENCES: preferences.snapshot,
            Entity.CALL: call_views.snapshot_calls,
        },
    )
