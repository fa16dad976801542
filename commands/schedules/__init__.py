"""Commands about schedules, and the subject with them."""

from slipway.bot.subjects.schedules.subject import SCHEDULES_SUBJECT

SUBJECT = SCHEDULES_SUBJECT.with_parts(
    __name__,
    "schedules",
    "run",
    "pausing",
)
