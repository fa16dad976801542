"""Commands about images, and the subject with them."""

from slipway.bot.subjects.images.subject import IMAGES

SUBJECT = IMAGES.with_parts(
    __name__,
    "images",
    "promote",
    "rollback",
    "cleanup",
)
