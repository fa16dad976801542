"""The three chats as people and the network see them: a console on pipes, a real Synapse, a simulated Slack."""
