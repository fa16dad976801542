"""Schedules as a subject of its own: how their last runs went, and pausing them, which is planned and audited."""
