"""Memory: tables, sessions, migrations."""
