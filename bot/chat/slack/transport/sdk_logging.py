"""What Slack's libraries log: only what is wrong, and no secrets."""

from __future__ import annotations

import logging
import re

_SECRETS = re.compile(r"(wss?|https?)://[^\s'\"]+|xox[a-z]-[\w-]+|xapp-[\w-]+")


def sdk_logger() -> logging.Logger:
    """A logger for Slack's libraries that writes only when something is wrong.

    On finer levels they log whole messages and socket addresses, which are as good as tokens; on this one,
    errors whose words hold such an address.
    """
    logger = logging.getLogger("slipway.slack_sdk")
    logger.setLevel(logging.ERROR)
    if _without_secrets not in logger.filters:
        logger.addFilter(_without_secrets)
    return logger


def _without_secrets(record: logging.LogRecord) -> bool:
    record.msg, record.args = _SECRETS.sub("…", record.getMessage()), ()
    record.exc_info = record.exc_text = record.stack_info = None
    return True
