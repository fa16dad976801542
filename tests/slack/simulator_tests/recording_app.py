"""What a Bolt app may do with everything it hears, for the simulator's own tests."""

from __future__ import annotations

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond, AsyncSay
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack.simulator.world import Json

CARD: list[Json] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "Promote 43?"}},
    {
        "type": "actions",
        "block_id": "decide",
        "elements": [
            {
                "type": "button",
                "action_id": "approve",
                "text": {"type": "plain_text", "text": "Approve"},
                "style": "primary",
                "value": "op-7k3f:abcdef",
            },
            {
                "type": "button",
                "action_id": "reject",
                "text": {"type": "plain_text", "text": "Reject"},
                "value": "op-7k3f:abcdef",
            },
        ],
    },
]
REASON: Json = {
    "type": "modal",
    "callback_id": "reason",
    "title": {"type": "plain_text", "text": "Reject"},
    "submit": {"type": "plain_text", "text": "Reject"},
    "private_metadata": "op-7k3f",
    "notify_on_close": True,
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "text", "max_length": 20},
        }
    ],
}


class RecordingApp:
    """A Bolt app that keeps everything it hears and answers in the simplest way."""

    def __init__(self) -> None:
        self.events: list[Json] = []
        self.bodies: list[Json] = []
        self.answers: list[Json] = []

    def set_up(self, app: AsyncApp) -> None:
        """Register everything."""
        app.event("app_mention")(self.event)
        app.event("app_home_opened")(self.home)
        app.event("message")(self.message)
        app.event({"type": "message", "subtype": "message_changed"})(self.event)
        app.event("member_joined_channel")(self.event)
        app.event("channel_archive")(self.event)
        app.event("reaction_added")(self.event)
        app.event("subteam_members_changed")(self.event)
        app.command("/slipway")(self.command)
        app.action("approve")(self.approve)
        app.action("reject")(self.reject)
        app.shortcut("launch")(self.reject)
        app.shortcut("about")(self.approve)
        app.view("reason")(self.submitted)
        app.view_closed("reason")(self.interaction)

    async def event(self, body: Json) -> None:
        """Keep an event."""
        self.events.append(body)

    async def message(self, body: Json, say: AsyncSay) -> None:
        """Keep a message, and give a card to a person's plain one that asks."""
        self.events.append(body)
        if body["event"].get("text", "").endswith("!promote"):
            await say(text="Promote 43?", blocks=CARD)

    async def home(self, body: Json, client: AsyncWebClient) -> None:
        """Publish a Home tab."""
        self.events.append(body)
        await client.views_publish(user_id=body["event"]["user"], view={"type": "home", "blocks": CARD})

    async def interaction(self, ack: AsyncAck, body: Json) -> None:
        """Acknowledge."""
        self.bodies.append(body)
        await ack()

    async def command(self, ack: AsyncAck, body: Json, respond: AsyncRespond) -> None:
        """Answer twice."""
        self.bodies.append(body)
        await ack("working")
        await respond("done", response_type="in_channel")

    async def approve(self, ack: AsyncAck, body: Json, respond: AsyncRespond) -> None:
        """Replace the card."""
        self.bodies.append(body)
        await ack()
        if "response_url" in body:
            await respond(text="Approved", replace_original=True)

    async def reject(self, ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        """Ask why."""
        self.bodies.append(body)
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=REASON)

    async def submitted(self, ack: AsyncAck, body: Json, view: Json) -> None:
        """Take anything but a bad word; some words stand for what else an app can answer."""
        self.bodies.append(body)
        word = view["state"]["values"]["why"]["text"]["value"]
        answers: dict[str, Json] = {
            "bad": {"response_action": "errors", "errors": {"why": "Say more"}},
            "more": {"response_action": "push", "view": REASON},
            "other": {"response_action": "update", "view": {**REASON, "callback_id": "other"}},
            "all": {"response_action": "clear"},
        }
        await ack(**answers.get(word, {}))
