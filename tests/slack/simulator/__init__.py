"""A simulated Slack for tests: Web API, Socket Mode and signed HTTP over loopback, and the people before it.

::

    async with SimulatedSlack() as sim:                      # or start() / stop()
        client = AsyncWebClient(token=sim.bot_token, base_url=sim.api_url)
        ...                                                  # an unmodified Bolt app with sim.app_token
        await sim.connected()                                # or sim.deliver_over_http(url)
        alice = sim.person("alice")
        asked = await alice.post("images", "!status")        # Slack's rewriting applied
        card = await sim.message("images", lambda m: "Status" in m.all_text)
        await (await alice.press(card, "Approve")).acked()

As a process: ``python -m tests.slack.simulator`` (``__main__.py``, ``control.py``), for clients in any language. The
world it starts with is in ``seed.py``; faults in ``faults.py``, of sockets in ``transport/socket_mode.py``, of
signatures in ``transport/http.py``.

How it differs from Slack:

- One app in one workspace, or with ``app.organisation_wide`` in those of one organisation (``auth.teams.list``):
  that ``auth.test`` then names the organisation as ``team_id`` is concluded from clients, not documented, and
  people are in one workspace each. There is no OAuth and no token rotation; everybody of a channel sees everything
  of it. The ``xapp-`` token serves any number of processes.
- Nothing is sent again by itself unless ``retry_after`` is given: :meth:`SimulatedSlack.redeliver` is Slack's
  retry (at once, after 1 and after 5 minutes), :meth:`SimulatedSlack.again` a duplicate of anything. Events for
  which no socket is open wait for the next one. A subscription is never disabled for its failures.
- The clock is injected: it rules timestamps, expiry of triggers and ``response_url``, and rate limits. Only
  the three seconds for answering an interaction (``patience``), ``retry_after`` and the stamps on HTTP requests
  are real time.
- Events are sent whatever scopes the app has, if it subscribes to them. A client's own checks of numbers are not
  made. Other bots are of the home workspace.
- Rate limits are off until ``sim.limits.enforced`` is set; how long a burst may be is a guess (``limits.py``).
- Block Kit is checked for the kinds and limits in ``blocks.py`` and ``elements.py``. Newer kinds (card, plan,
  alert, carousel, video, call …) pass unchecked, and the words of complaints are close to Slack's, not equal.
  ``msg_blocks_too_long`` counts the texts of all blocks against a measured bound.
- Answering in a thread whose root is not there is taken, as any text would be. Nothing is written in pieces
  (``streaming_state_conflict``). Links are not unfurled, and ``message_changed`` tells of nothing but edits
  and broadcasts. Where Slack may leave out of which workspace somebody is, ``core.omits_team`` decides. Texts of
  the bot are stored as they came.
- Slash commands are delivered wherever they are typed, by people of other workspaces and in threads too.
- A file is shared by the time ``files.completeUploadExternal`` answers; Slack does that a little later.
- ``reaction_added``, ``app_home_opened``, ``subteam_members_changed``, ``subteam_updated``, and what becomes of a
  channel (``channels.py``) are sent, of people's comings and goings only the bot's; other events only by
  :meth:`SimulatedSlack.event`. Whether the bot is still in a channel that comes back from the archive is not
  documented: :meth:`SimulatedSlack.archive` is told.
- A disabled user group answers as one that never was, unless ``include_disabled`` is given: Slack's reference names
  the option and no other error.
"""

from tests.slack.simulator.faults import Fault, FaultKind
from tests.slack.simulator.people.interactions import Outcome, Submission
from tests.slack.simulator.people.person import Person
from tests.slack.simulator.seed import fedora_world
from tests.slack.simulator.server import SimulatedSlack
from tests.slack.simulator.transport.delivery import Delivery, Kind, State
from tests.slack.simulator.transport.http import Signature
from tests.slack.simulator.transport.socket_mode import Reason
from tests.slack.simulator.world import Button, Channel, Message, SimulatorError, User

__all__ = [
    "Button",
    "Channel",
    "Delivery",
    "Fault",
    "FaultKind",
    "Kind",
    "Message",
    "Outcome",
    "Person",
    "Reason",
    "Signature",
    "SimulatedSlack",
    "SimulatorError",
    "State",
    "Submission",
    "User",
    "fedora_world",
]
