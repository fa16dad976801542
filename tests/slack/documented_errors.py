"""The errors that Slack's reference names for the methods by which the bot says and shows something.

Source: docs.slack.dev/reference/methods: ``chat.postMessage``, ``chat.update``, ``chat.postEphemeral``,
``chat.delete``, ``conversations.open``, ``views.*``, ``files.getUploadURLExternal`` and
``files.completeUploadExternal``.
"""

from __future__ import annotations

DOCUMENTED = frozenset(
    """
    access_denied accesslimited account_inactive alt_txt_too_large app_access_restricted as_user_not_supported
    attachment_payload_limit_exceeded block_mismatch blocked_file_type cannot_reply_to_message
    cant_broadcast_message cant_delete_message cant_update_message channel_not_found channels_limit_exceeded
    compliance_exports_prevent_deletion deprecated_endpoint draft_already_deleted draft_already_sent
    draft_has_conflict draft_not_found duplicate_channel_not_found duplicate_external_id
    duplicate_message_not_found edit_window_closed ekm_access_denied enterprise_is_restricted
    exchanged_trigger_id expired_trigger_id external_channel_migrating fatal_error file_deleted
    file_is_deleted file_not_found file_share_limit_reached file_type_not_allowed file_update_failed
    file_upload_size_restricted file_uploads_disabled file_uploads_except_images_disabled forbidden_team
    hash_conflict internal_error invalid_arg_name invalid_arguments invalid_array_arg invalid_attachments
    invalid_auth invalid_blocks invalid_blocks_format invalid_channel invalid_charset invalid_form_data
    invalid_json invalid_metadata_format invalid_metadata_schema invalid_post_type invalid_trigger_id
    invalid_user_combination is_archived is_bot is_inactive json_not_object markdown_text_conflict
    max_file_sharing_exceeded message_limit_exceeded message_not_found messages_tab_disabled
    metadata_must_be_sent_from_app metadata_too_large method_deprecated method_not_supported_for_channel_type
    missing_argument missing_file_data missing_post_type missing_profile_id missing_scope msg_blocks_too_long
    msg_too_long no_dual_broadcast_content_update no_permission no_text not_allowed_token_type not_authed
    not_enabled not_enough_users not_found not_implemented not_in_channel only_one_table_allowed
    org_login_required posting_to_channel_denied push_limit_reached rate_limited ratelimited request_timeout
    restricted_action restricted_action_non_threadable_channel restricted_action_read_only_channel
    restricted_action_thread_locked restricted_action_thread_only_channel send_on_behalf_not_allowed
    service_unavailable slack_connect_blocked_file_type slack_connect_canvas_sharing_blocked
    slack_connect_clip_sharing_blocked slack_connect_file_link_sharing_blocked
    slack_connect_file_upload_sharing_blocked slack_connect_lists_sharing_blocked snippet_too_large
    storage_limit_reached streaming_state_conflict team_added_to_org team_not_found thread_not_found
    token_expired token_revoked too_many_attachments too_many_contact_cards too_many_users
    two_factor_setup_required unable_to_share_files unknown_method unknown_snippet_type unknown_subtype
    update_failed upgrade_required user_disabled user_not_found user_not_in_channel user_not_visible
    users_list_not_supplied view_too_large
    """.split()  # noqa: SIM905 - some hundred names are read more easily so
)
