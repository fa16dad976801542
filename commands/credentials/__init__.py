"""Commands about credentials, and the subject with them."""

from slipway.bot.subjects.credentials.subject import CREDENTIALS_SUBJECT

SUBJECT = CREDENTIALS_SUBJECT.with_parts(
    __name__,
    "credentials",
    "answers",
    "rotate",
    "home",
)
