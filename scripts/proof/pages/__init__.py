"""The Python-Markdown extension, and what it makes of a page. Nothing here can run a command."""
