"""Reads and validates what authors write: snippet.toml, bases.toml, Dockerfiles and build contexts."""
