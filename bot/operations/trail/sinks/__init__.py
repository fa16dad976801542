"""Where entries of the audit trail go as they are written: a file, a syslog."""
