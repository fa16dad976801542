"""Commands about images, and the subject with them."""

from dataclasses import replace

from slipway.bot.subjects.images.subject import IMAGES
from slipway.commands.images.cleanup import cleanup
from slipway.commands.images.images import images
from slipway.commands.images.promote import promote
from slipway.commands.images.rollback import rollback

SUBJECT = replace(IMAGES, commands=(images, promote, rollback, cleanup))
