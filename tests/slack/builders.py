"""Cards as the bot makes them, one of each kind, and the form for launching machines."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial

from slipway.bot.chat.forms import CommandForm, Form, Values
from slipway.bot.chat.model import Button, Card, Choice, Field, Shortcut, Table, Tone
from slipway.bot.clouds.machine_description import MachineDescription
from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.core.errors import UserError
from slipway.bot.subjects.machines.settings import Override, ProfileSettings
from slipway.commands.machines.forms import LAUNCH_SHORTCUT, launch_line, launch_problems, launch_values_in
from slipway.commands.machines.launch_form import Offer, launch_form
from tests.support.pictures import PICTURE

LAUNCH = "slipway.launch"
"""The form, and the global shortcut that opens it, as they are called in installed apps."""

LAUNCH_FROM_MESSAGE = "slipway.launch_from"
AMI = "Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261110.0"
X64 = "Fedora-Cloud-43-x64"
PROFILES = {
    "small": ProfileSettings(
        template="t",
        description="2 cores",
        max_count=3,
        default_for=timedelta(hours=3),
        max_for=timedelta(days=3),
    ),
    "cloudy": ProfileSettings(
        cloud="azure",
        regions=("eastus", "westeurope"),
        overrides=(Override.TYPE,),
        default_for=timedelta(hours=1),
        max_for=timedelta(days=7),
        machine=MachineDescription(size="Standard_B2s", subnet="net/default"),
    ),
}
_MADE = datetime(2026, 11, 10, tzinfo=UTC)


def _image(image_id: str, name: str, cloud: str, region: str) -> MachineImage:
    return MachineImage(
        image_id, name, "x86_64", "available", "Fedora", region, _MADE, cloud=cloud, launchable=True
    )


def launch_offer(profile: str, region: str = "") -> Offer:
    """What Alice, who has two keys, can launch by one of these profiles."""
    images = {
        "": (
            _image("ami-0123456789abcdef0", AMI, "aws", ""),
            _image("ami-0aaaaaaaaaaaaaaa1", "Twice", "aws", ""),
            _image("ami-0aaaaaaaaaaaaaaa2", "Twice", "aws", ""),
        ),
        "eastus": (_image(f"{X64}/43.20261111.0", X64, "azure", "eastus"),),
        "westeurope": (),
    }
    clouds = {"aws": "EC2", "azure": "Azure"}
    return Offer(PROFILES, profile, region, clouds, images[region], ("github:alice", "github:alice"))


BUTTONS = tuple(
    Button(choice=choice, label=label, operation_id="op-7k3f", digest_prefix="abcdef12")
    for choice, label in ((Choice.APPROVE, "Approve"), (Choice.REJECT, "Reject"))
)

PROPOSED = Card(
    tone=Tone.WAITING,
    title="op-7k3f promote: waits for 1 approval",
    text="Promote Fedora-Cloud-43-x64 to `43.20261118.0`.",
    fields=(
        Field(label="Asked by", value="Alice"),
        Field(label="Needs", value="1 of Bob (role releng)"),
        Field(label="Plan", value="`abcdef12`"),
    ),
    tables=(
        Table(
            title="Plan",
            columns=("", "Step", "Why"),
            rows=(("1", "show 43.20261118.0 to launches", "it is the newest"), ("2", "look again", "")),
        ),
    ),
    notes=("Approve: `!approve op-7k3f abcdef12`   Reject: `!reject op-7k3f REASON`",),
    buttons=BUTTONS,
)

RUNNING = Card(tone=Tone.RUNNING, title="op-7k3f promote: running, 1 of 2 steps done", text="Promote it.")

REPORT = Card(
    tone=Tone.DONE,
    title="op-7k3f promote: done",
    text="Promoted.",
    fields=(Field(label="Ended", value="2026-11-20 12:00 UTC, 5s after it was asked for"),),
    tables=(Table(title="What was done", columns=("", "Result"), rows=(("1", "✔ done"), ("2", "✔ done"))),),
    mentions=("U0ALICE00",),
)

FAILED = Card(
    tone=Tone.FAILED,
    title="op-7k3f promote: failed",
    text="Azure refused: <AuthorizationFailed> & more; see *this* _one_ :tada:.",
    notes=("Whose move: whoever runs Slipway.", "Next: `!status`"),
)

LISTING = Card(
    title="Your machines",
    tables=(
        Table(columns=("ID", "State"), rows=(("i-1", "running"), ("i-2", "pending"))),
        Table(title="Elsewhere", columns=("ID", "State"), rows=(("i-3", "running"),)),
    ),
    shortcuts=(Shortcut(label="Terminate i-1", command="terminate i-1"),),
)

LONG = Card(
    title="images: 400 versions",
    tables=(
        Table(
            columns=("Definition", "Version"),
            rows=tuple((f"Fedora-Cloud-{number}-x64", f"{number}.20261118.0") for number in range(400)),
        ),
    ),
)

PICTURED = Card(title="x64: 2 versions, latest 43.1.0", pictures=(PICTURE,))

SLIP = Card(
    tone=Tone.WARNING,
    title="There is no command `promot`.",
    notes=("Did you mean `!promote`?",),
    private_to="U0BOB0000",
)

CARDS = {
    "proposed": PROPOSED,
    "running": RUNNING,
    "report": REPORT,
    "failed": FAILED,
    "listing": LISTING,
    "long": LONG,
    "slip": SLIP,
}


def launch_command_form(error: UserError | None = None) -> CommandForm:
    """The form for launching machines; with an error, there is nothing to launch."""

    async def load(values: Values) -> Form:
        if error is not None:
            raise error
        profile = values.get("profile", "small")
        regions = PROFILES[profile].regions or ("",)
        chosen = values.get("region", "")
        return launch_form(launch_offer(profile, chosen if chosen in regions else regions[0]), values)

    return CommandForm(
        name=LAUNCH_SHORTCUT.name,
        title=LAUNCH_SHORTCUT.title,
        submit="Launch",
        loading="Looking up the images…",
        unavailable="Nothing can be launched now",
        usage="launch IMAGE",
        load=load,
        line=launch_line,
        problems=partial(launch_problems, PROFILES),
        values_in=partial(launch_values_in, re.compile(r"ami-[0-9a-f]{8,17}").fullmatch),
    )
