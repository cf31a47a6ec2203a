"""The Python-Markdown extension, and everything that renders and checks pages. Nothing here can run a command."""
