"""Commands about images, and the subject with them."""

from slipway.bot.subjects.images.subject import IMAGES_SUBJECT

SUBJECT = IMAGES_SUBJECT.with_parts(
    __name__,
    "images",
    "promote",
    "rollback",
    "revoke",
    "verdicts",
    "holds",
    "adopt",
    "cleanup",
    "restore",
    "regions",
)
