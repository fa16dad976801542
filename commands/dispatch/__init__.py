"""From an event to its answer: who says it, may they, which command, what comes of it."""
