"""A simulated Slack."""

from tests.slack.simulator.delivery import Delivery, Kind, State
from tests.slack.simulator.faults import Fault, FaultKind
from tests.slack.simulator.over_http import Signature
from tests.slack.simulator.person import Outcome, Person, Submission
from tests.slack.simulator.seed import fedora_world
from tests.slack.simulator.server import SimulatedSlack
from tests.slack.simulator.sockets import Reason
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
