"""What goes out: cards as messages, edits, reactions and files."""
