"""Commands about locks, and the subject with them."""

from slipway.bot.subjects.locks.subject import LOCKS_SUBJECT

SUBJECT = LOCKS_SUBJECT.with_parts(
    __name__,
    "locks",
    "release",
)
