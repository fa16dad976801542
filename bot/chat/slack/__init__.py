"""Slack: the chat adapter on slack-bolt and slack_sdk. Only this package knows them."""
