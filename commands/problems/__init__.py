"""Commands about problems, and the subject with them."""

from slipway.bot.subjects.problems.subject import PROBLEMS_SUBJECT

SUBJECT = PROBLEMS_SUBJECT.with_parts(
    __name__,
    "problems",
    "ack",
    "home",
    "sections",
)
