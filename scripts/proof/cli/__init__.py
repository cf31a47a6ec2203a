"""The command line: its arguments, verbs and exit codes."""
