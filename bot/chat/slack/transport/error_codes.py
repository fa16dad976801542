"""What each error code of Slack's Web API means: of what kind it is, and the words for it.

The codes and their causes are those of the methods' reference (docs.slack.dev/reference/methods), of every method by
which the bot says or shows something. ``tests/slack/error_codes.md`` has the whole table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class RefusalKind(StrEnum):
    """What a refusal leads to."""

    RATE_LIMITED = "rate limited"  # wait as long as Slack asks for
    PASSING = "passing"  # a later try may succeed
    INVALID_FORM = (
        "invalid form"  # Slack does not show a message or a view of this form, or one so large: words
    )
    NO_THREAD = "no thread"  # that thread takes nothing: it is said in the channel itself
    NOT_IN_CHANNEL = "not in channel"  # the bot is not in the channel, or it was deleted
    ARCHIVED = "archived"
    USER_NOT_IN_CHANNEL = "user not in channel"  # the person is not in the channel: a direct message
    MESSAGE_NOT_FOUND = "message not found"  # it is not there any more, or cannot be changed any more
    NOT_ALLOWED = "not allowed"  # the app lacks a right that somebody can give: it waits for that
    INVALID_TOKEN = "invalid token"  # noqa: S105 - the token does not work: it waits for another one
    OTHER = "other"  # no later try helps


_ADMINISTRATORS = "the workspace's administrators do not let"

_RATE_LIMITED = ("ratelimited", "rate_limited")
_PASSING = {
    "internal_error": "",
    "fatal_error": "",
    "service_unavailable": "",
    "request_timeout": "",
    "update_failed": "",
    "file_update_failed": "",
    "unable_to_share_files": "",
    "hash_conflict": "",
    "streaming_state_conflict": "the message is being written in another way just now",
    # A workspace or a channel that is being moved: minutes to hours.
    "team_added_to_org": "the workspace is being moved into an organisation",
    "org_login_required": "the workspace is being moved into an organisation",
    "external_channel_migrating": "the channel is being moved",
}
_FORM = (
    *("invalid_blocks", "invalid_blocks_format", "invalid_attachments", "only_one_table_allowed"),
    *("msg_too_long", "msg_blocks_too_long", "block_mismatch", "too_many_attachments"),
    *("too_many_contact_cards", "attachment_payload_limit_exceeded", "markdown_text_conflict"),
    "view_too_large",
)
_NO_THREAD = {
    "thread_not_found": "that thread is not there any more",
    "cannot_reply_to_message": "that message cannot be answered in a thread",
    "restricted_action_thread_locked": "the workspace's administrators have closed that thread",
    "restricted_action_non_threadable_channel": "the channel takes no threads",
}
_NOT_IN_CHANNEL = ("not_in_channel", "channel_not_found", "invalid_channel")
_ARCHIVED = ("is_archived", "is_inactive")
_MESSAGE_NOT_FOUND = ("message_not_found", "cant_update_message", "cant_delete_message", "edit_window_closed")
_NOT_ALLOWED = {
    "missing_scope": "",  # the answer names the scope
    "no_permission": "the app may not do that; see whether it is in the channel, and `slipway doctor`",
    "access_denied": "Slack does not give the app access to that; see `slipway doctor`",
    "accesslimited": "Slack does not allow that from this machine's network",
    "app_access_restricted": f"{_ADMINISTRATORS} everybody use the app; have them allow it",
    "ekm_access_denied": "the workspace's administrators have suspended access to its messages",
    "file_type_not_allowed": "the workspace takes no files of that type",
    "file_upload_size_restricted": "the workspace takes no files so large",
    "file_uploads_disabled": "the workspace takes no files",
    "file_uploads_except_images_disabled": "the workspace takes no files but pictures",
    "message_limit_exceeded": "the workspace has reached Slack's limit of messages",
    "messages_tab_disabled": "the app's Messages tab is off; make the app as `slipway slack manifest` has it",
    "not_enabled": "the app's Home tab is off; make the app as `slipway slack manifest` has it",
    "posting_to_channel_denied": f"{_ADMINISTRATORS} apps say anything in that channel",
    "restricted_action": f"{_ADMINISTRATORS} apps do that in that channel",
    "restricted_action_read_only_channel": f"{_ADMINISTRATORS} apps write in that channel, which is read-only",
    "restricted_action_thread_only_channel": f"{_ADMINISTRATORS} apps begin a thread in that channel",
    "storage_limit_reached": "the workspace has no room for more files",
    "two_factor_setup_required": "the account that installed the app has to set up two-factor authentication",
    "user_not_visible": f"{_ADMINISTRATORS} the app see that person",
}
_INVALID_TOKEN = (
    *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
    *("not_allowed_token_type", "forbidden_team", "team_access_not_granted"),
)
_OTHER = {
    "plan_upgrade_required": "user groups need a paid plan of Slack",
    "no_such_subteam": "there is no such user group; see `slack_groups` in slipway.toml",
    "user_disabled": "that account was deactivated",
    "user_not_found": "there is no such account",
    "compliance_exports_prevent_deletion": "the workspace keeps every message for its compliance export",
}

_KINDS: Mapping[str, RefusalKind] = MappingProxyType(
    {
        code: kind
        for kind, codes in (
            (RefusalKind.RATE_LIMITED, _RATE_LIMITED),
            (RefusalKind.PASSING, _PASSING),
            (RefusalKind.INVALID_FORM, _FORM),
            (RefusalKind.NO_THREAD, _NO_THREAD),
            (RefusalKind.NOT_IN_CHANNEL, _NOT_IN_CHANNEL),
            (RefusalKind.ARCHIVED, _ARCHIVED),
            (RefusalKind.USER_NOT_IN_CHANNEL, ("user_not_in_channel",)),
            (RefusalKind.MESSAGE_NOT_FOUND, _MESSAGE_NOT_FOUND),
            (RefusalKind.NOT_ALLOWED, _NOT_ALLOWED),
            (RefusalKind.INVALID_TOKEN, _INVALID_TOKEN),
        )
        for code in codes
    }
)
_OF_A_KIND = {
    RefusalKind.PASSING: "Slack failed",
    RefusalKind.INVALID_FORM: "Slack does not show that",
    RefusalKind.USER_NOT_IN_CHANNEL: "that person is not in the channel",
    RefusalKind.MESSAGE_NOT_FOUND: "the message was deleted, or can no longer be changed",
    RefusalKind.NOT_ALLOWED: f"{_ADMINISTRATORS} the app do that",
    RefusalKind.INVALID_TOKEN: "Slack does not accept the token; see `slipway doctor`",
}
_WORDS: Mapping[str, str] = MappingProxyType({**_PASSING, **_NO_THREAD, **_NOT_ALLOWED, **_OTHER})

# Relatives that the reference does not name, or not yet.
_LIKE_A_FORM = re.compile(r"invalid_(?:blocks?|attachments?|view)(?:_\w+)?|too_many_blocks", re.ASCII)
_LIKE_NOT_ALLOWED = re.compile(r"restricted_action_\w+|slack_connect_\w+|blocked_file_type", re.ASCII)


def kind_of(code: str) -> RefusalKind:
    """What a refusal with this code leads to."""
    if (known := _KINDS.get(code)) is not None:
        return known
    if _LIKE_A_FORM.fullmatch(code):
        return RefusalKind.INVALID_FORM
    return RefusalKind.NOT_ALLOWED if _LIKE_NOT_ALLOWED.fullmatch(code) else RefusalKind.OTHER


def words_of(code: str) -> str:
    """Why Slack refused, and what to do about it, where its code alone tells that; to follow “Could not …:”."""
    return _WORDS.get(code) or _OF_A_KIND.get(kind_of(code), "Slack said no")
