"""Commands about freezes, and the subject with them."""

from slipway.bot.subjects.freezes.subject import FREEZES_SUBJECT

SUBJECT = FREEZES_SUBJECT.with_parts(
    __name__,
    "freeze",
    "home",
)
