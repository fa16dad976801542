"""Commands about emergencies, and the subject with them."""

from slipway.bot.subjects.emergencies.subject import EMERGENCIES_SUBJECT

SUBJECT = EMERGENCIES_SUBJECT.with_parts(
    __name__,
    "emergencies",
    "review",
)
