"""HTTP: the two listeners, health, metrics and pages."""
