"""Slack's limits on what is shown, as its reference gives them, in characters unless said otherwise.

Source: docs.slack.dev/reference/block-kit and /reference/methods/chat.update; :data:`MESSAGE_TEXT` is not
documented: over about 13,200 characters in all blocks Slack answers ``msg_blocks_too_long``, and counts about
130 more for each block (measured in slackapi/bolt-js issue 2509).
"""

from __future__ import annotations

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
VIEW_BYTES = 240_000  # of JSON; a view may have 250 kB
MESSAGE_TEXT = 12_000
BLOCK_OVERHEAD = 130
FALLBACK_BYTES = 3_900  # chat.update refuses more than 4,000, and counts bytes of UTF-8
HEADER = 150
SECTION = 3_000
FIELD = 2_000
FIELDS_A_SECTION = 10
NOTE = 3_000
BUTTONS_A_BLOCK = 25
BUTTON = 75
VALUE = 2_000
CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30
TABLE_ROWS = 100
TABLE_COLUMNS = 20
TABLE_TEXT = 10_000
MODAL_TITLE = 24  # and the words on its buttons
INPUT_LABEL = 2_000  # and the hint below a field
INPUT_TEXT = 3_000
PLACEHOLDER = 150
OPTIONS = 100
OPTION_TEXT = 75
OPTION_VALUE = 150
REASON = 500  # ours: a reason is a sentence, and it stands on a card
BLOCK_ID = 255
EPHEMERAL_TEXT = 975  # chat.postEphemeral: 4,000 bytes of UTF-8, of which a character has four at the most
