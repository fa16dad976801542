"""Commands about machines, and the subject with them."""

from dataclasses import replace

from slipway.bot.operations.declarations import DeclaredForm, HomeSection
from slipway.bot.subjects.machines.subject import MACHINES_SUBJECT
from slipway.commands.machines.forms import LAUNCH_SHORTCUT, launch_command_form
from slipway.commands.machines.home import machines_section
from slipway.commands.machines.instances import instances
from slipway.commands.machines.launch import launch
from slipway.commands.machines.terminate import terminate

SUBJECT = replace(
    MACHINES_SUBJECT,
    commands=(launch, instances, terminate),
    home=(HomeSection(machines_section),),
    forms=(DeclaredForm(LAUNCH_SHORTCUT, launch_command_form),),
)
