"""The versions of a definition by date: as facts, in words, and as a picture."""
