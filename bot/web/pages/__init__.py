"""Pages to read below ``/ui``: operations, schedules, problems and the audit trail. Nothing can be changed there."""
