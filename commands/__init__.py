"""What people type: one thin module a command, grouped by subject; and what reads and answers it."""
