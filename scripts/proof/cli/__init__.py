"""The command : its arguments, its verbs and its exit codes."""
