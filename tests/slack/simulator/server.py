"""The running simulator: one loopback server with the Web API, the sockets, the uploads and the answers."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from aiohttp import web

from tests.slack.simulator import channels
from tests.slack.simulator.api import Api
from tests.slack.simulator.changes import ChangeNotifier
from tests.slack.simulator.core import Call, Core
from tests.slack.simulator.faults import Faults
from tests.slack.simulator.limits import RateLimits
from tests.slack.simulator.methods.files import receive
from tests.slack.simulator.people.person import Person
from tests.slack.simulator.seed import World, fedora_world
from tests.slack.simulator.transport import responses
from tests.slack.simulator.transport.delivery import Delivery, Kind, Outbox
from tests.slack.simulator.transport.http import HttpDelivery, Signature
from tests.slack.simulator.transport.socket_mode import Reason, SocketModeServer
from tests.slack.simulator.world import Channel, Clock, Message, SimulatorError, User, system_clock


class SimulatedSlack:
    """A workspace with one installed app. See the package's docstring for what differs from Slack.

    ``clock`` rules timestamps, expiry and rate limits; it never makes anything wait. ``patience`` is how many
    (real) seconds a command or interaction may stay unanswered. ``retry_after`` are the (real) seconds after
    which an unacknowledged event is sent again by itself; without them only :meth:`redeliver` does it.
    """

    def __init__(
        self,
        world: World | None = None,
        *,
        clock: Clock = system_clock,
        patience: float = 3.0,
        retry_after: tuple[float, ...] = (),
    ) -> None:
        self.world = world or fedora_world()
        self.changes = ChangeNotifier()
        self.sockets = SocketModeServer(self.changes, self.world.app.id)
        self.outbox = Outbox(self.changes, self.sockets, patience=patience, retry_after=retry_after)
        self.sockets.outbox = self.outbox
        self.core = Core(self.world, clock, self.sockets, self.changes, self.outbox)
        self.http: HttpDelivery | None = None
        self._api = Api(self.core, self.sockets)
        self._runner: web.AppRunner | None = None

    # --- life

    async def start(self, port: int = 0) -> str:
        """Serve on loopback, and return the address for ``AsyncWebClient(base_url=…)``."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.add_routes(
            [
                web.route("*", "/api/{method}", self._api.serve),
                web.get("/link/", self.sockets.serve),
                web.post("/upload/v1/{ticket}", self._upload),
                web.post("/actions/{team}/{token}", self._respond),
            ]
        )
        self.add_routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.core.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self.api_url

    def add_routes(self, app: web.Application) -> None:
        """For whoever runs the simulator with more than Slack's own addresses."""

    async def stop(self) -> None:
        """Close everything."""
        self.core.faults.clear()
        self.outbox.stop()
        await self.core.stop()
        await self.deliver_over_sockets()
        await self.sockets.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> SimulatedSlack:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # --- what a client needs to know

    @property
    def url(self) -> str:
        """The server's root."""
        return self.core.url

    @property
    def api_url(self) -> str:
        """For ``AsyncWebClient(base_url=…)``."""
        return f"{self.core.url}/api/"

    @property
    def bot_token(self) -> str:
        """The ``xoxb-`` token."""
        return self.world.app.bot_token

    @property
    def app_token(self) -> str:
        """The ``xapp-`` token."""
        return self.world.app.app_token

    @property
    def signing_secret(self) -> str:
        """What requests over HTTP are signed with."""
        return self.world.app.signing_secret

    # --- what goes wrong

    @property
    def faults(self) -> Faults:
        """Faults of the Web API."""
        return self.core.faults

    @property
    def limits(self) -> RateLimits:
        """Rate limits; set ``enforced``."""
        return self.core.limits

    def lose_scope(self, *scopes: str) -> None:
        """Take granted scopes away."""
        self.world.app.scopes -= set(scopes)

    def revoke(self) -> None:
        """Take the tokens away, as when the app is removed from the workspace."""
        self.world.app.revoked = True

    async def disconnect(self, reason: Reason = Reason.REFRESH_REQUESTED, *, most: int | None = None) -> int:
        """Ask the sockets, or so many, to leave; returns the number opened so far for ``connected(after=…)``."""
        return await self.sockets.disconnect(reason, most=most)

    def cut(self) -> int:
        """Break the sockets; returns the number opened so far, for ``connected(after=…)``."""
        return self.sockets.cut()

    async def connected(self, count: int = 1, *, after: int = 0, within: float = 20) -> None:
        """Wait for live sockets."""
        await self.sockets.connected(count, after=after, within=within)

    # --- deliveries

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything that was sent to the app, oldest first."""
        return list(self.outbox.log)

    async def redeliver(self) -> list[Delivery]:
        """Send again every event that was sent and not acknowledged."""
        return await self.outbox.redeliver()

    async def again(self, delivery: Delivery) -> Delivery:
        """Send one delivery once more, acknowledged or not."""
        return await self.outbox.again(delivery)

    async def settled(self, within: float = 10) -> None:
        """Wait until everything sent is acknowledged or given up."""
        await self.outbox.settled(within)

    async def deliver_over_http(
        self, url: str, signing_secret: str | None = None, *, verify: bool = True
    ) -> HttpDelivery:
        """Send to a request URL instead of sockets from now on, after Slack's challenge.

        Raises:
            SimulatorError: the challenge was not given back.
        """
        await self.deliver_over_sockets()
        secret = self.signing_secret if signing_secret is None else signing_secret
        self.http = HttpDelivery(url, secret, patience=self.outbox.patience)
        self.http.outbox = self.outbox
        if verify:
            await self.http.verify()
        self.outbox.transport = self.http
        await self.outbox.send_waiting()
        return self.http

    async def deliver_over_sockets(self) -> None:
        """Send to sockets from now on, as at the start."""
        self.outbox.transport = self.sockets
        if self.http is not None:
            await self.http.stop()
            self.http = None

    def forge(self, signature: Signature, times: int = 1) -> None:
        """Sign the next HTTP requests wrongly."""
        if self.http is None:
            raise SimulatorError("deliveries do not go over HTTP")
        self.http.forge(signature, times)

    # --- people and what is said

    def person(self, user: str, *, typographic: bool = False) -> Person:
        """A person, by id or name."""
        found = self.world.users.get(user) or next(
            (u for u in self.world.users.values() if u.name == user), None
        )
        if found is None:
            raise SimulatorError(f"there is no {user}")
        return Person(self.core, found, typographic=typographic)

    def channel(self, name: str) -> Channel:
        """A channel, by id or name."""
        found = self.world.named(name)
        if found is None:
            raise SimulatorError(f"there is no channel {name}")
        return found

    def messages(self, channel: str) -> list[Message]:
        """Everything that stands in a channel and its threads, oldest first."""
        return self.channel(channel).living()

    def from_bot(self, channel: str) -> list[Message]:
        """What the app's bot said in a channel and its threads, oldest first."""
        return [message for message in self.messages(channel) if message.bot_id == self.world.app.bot_id]

    async def message(
        self, channel: str, look: Callable[[Message], bool] = lambda message: True, *, within: float = 10
    ) -> Message:
        """Wait until the bot said something that looks so (edits count), and return it."""
        try:
            return await self.changes.until(
                lambda: next((message for message in self.from_bot(channel) if look(message)), None),
                "",
                within,
            )
        except SimulatorError:
            said = [message.all_text for message in self.from_bot(channel)]
            raise SimulatorError(
                f"waited {within} s in vain for a message in {channel}; there are {said}"
            ) from None

    async def until(self, look: Callable[[], bool], what: str = "a condition", *, within: float = 10) -> None:
        """Wait until something holds; looked at whenever anything changes in the simulator."""
        await self.changes.until(lambda: look() or None, what, within)

    async def bot_says(self, channel: str, text: str, *, legacy: bool = False) -> Message:
        """Another app's bot says something (``legacy``: as ``bot_message``, without a user)."""
        bot = next(u for u in self.world.users.values() if u.bot and u.id != self.world.app.bot_user)
        message = Message(
            ts=self.core.ids.ts(),
            channel=self.channel(channel).id,
            text=text,
            user=None if legacy else bot.id,
            team="" if legacy else bot.team,
            bot_id="B0OTHERBT",
            app_id="A0OTHERBT",
            subtype="bot_message" if legacy else None,
            trigger_id=self.core.ids.id("Ft") if legacy else None,
            username=bot.name if legacy else None,
            bot_profile=None if legacy else _profile(bot),
        )
        return await self.core.message_posted(self.channel(channel), message)

    async def invite_bot(self, channel: str) -> Delivery | None:
        """Bring the bot into a channel."""
        return await channels.invite_bot(self.core, self.channel(channel))

    async def remove_bot(self, channel: str) -> list[Delivery]:
        """Take the bot out of a channel: what the app is told of it."""
        return await channels.remove_bot(self.core, self.channel(channel))

    async def archive(self, channel: str, *, without_bot: bool = False) -> Delivery | None:
        """Archive a channel, maybe so that the bot is not in it any more. A message in it says so, too."""
        return await channels.archive(self.core, self.channel(channel), without_bot=without_bot)

    async def unarchive(self, channel: str) -> Delivery | None:
        """Bring a channel back from the archive."""
        return await channels.unarchive(self.core, self.channel(channel))

    async def delete_channel(self, channel: str) -> Delivery | None:
        """Delete a channel, for good."""
        return await channels.delete_channel(self.core, self.channel(channel))

    async def rename_channel(self, channel: str, name: str) -> Delivery | None:
        """Give a channel another name."""
        return await channels.rename(self.core, self.channel(channel), name)

    async def set_group(self, group: str, users: list[str]) -> Delivery | None:
        """Change who is in a user group."""
        found = self.world.groups[group]
        before, found.users = set(found.users), list(users)
        event = {
            "type": "subteam_members_changed",
            "subteam_id": group,
            "team_id": found.team,
            "added_users": sorted(set(users) - before),
            "removed_users": sorted(before - set(users)),
            "event_ts": self.core.ids.ts(),
        }
        return await self.core.emit(event, subscription="subteam_members_changed")

    async def disable_group(self, group: str) -> Delivery | None:
        """Disable a user group, which is what Slack's clients call deleting it. Its members stay listed in it."""
        found = self.world.groups[group]
        found.disabled_at = int(self.core.ids.now())
        subteam = found.shown(users=True, count=True)
        event = {"type": "subteam_updated", "subteam": subteam, "event_ts": self.core.ids.ts()}
        return await self.core.emit(event, subscription="subteam_updated")

    async def event(self, event: dict[str, object], subscription: str, channel: str = "") -> Delivery | None:
        """Send any event, as it is."""
        place = self.channel(channel) if channel else None
        return await self.core.emit(event, subscription=subscription, channel=place)

    def add_person(self, user: User, *channels: str) -> Person:
        """Let a new account exist and be in channels."""
        self.world.add_user(user)
        for name in channels:
            self.channel(name).members.add(user.id)
        return Person(self.core, user)

    # --- the log

    def calls(self, method: str = "") -> list[Call]:
        """The calls of the Web API (of one method), oldest first."""
        return [call for call in self.core.calls if method in ("", call.method)]

    async def called(self, method: str, times: int = 1, *, within: float = 10) -> list[Call]:
        """Wait until a method was called so often."""
        await self.changes.until(
            lambda: self.core.call_counts.get(method, 0) >= times, f"{times} call(s) of {method}", within
        )
        return self.calls(method)

    @property
    def complaints(self) -> list[str]:
        """What the app answered that Slack would not have shown."""
        return self.core.complaints

    def interactions(self) -> list[Delivery]:
        """Everything sent that people pressed, typed as commands, or filled in."""
        return [delivery for delivery in self.outbox.log if delivery.kind is not Kind.EVENT]

    # --- inside

    async def _upload(self, request: web.Request) -> web.Response:
        status, text = receive(self.core, request.match_info["ticket"], await _content(request))
        return web.Response(status=status, text=text)

    async def _respond(self, request: web.Request) -> web.Response:
        return await responses.serve(self.core, request)


def _profile(bot: User) -> dict[str, object]:
    return {
        "id": "B0OTHERBT",
        "deleted": False,
        "name": bot.name,
        "updated": 1,
        "app_id": "A0OTHERBT",
        "icons": {},
        "team_id": bot.team,
    }


async def _content(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    form = await request.post()
    part = next(iter(form.values()), b"")
    return part.file.read() if isinstance(part, web.FileField) else str(part).encode()
