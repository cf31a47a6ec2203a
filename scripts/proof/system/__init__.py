"""Processes, locks, temporary directories, control groups and sandboxes. Only the run side imports these."""
