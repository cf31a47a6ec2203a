"""Processes, locks, temporary folders, control groups and sandboxes. Imported by the run side alone."""
