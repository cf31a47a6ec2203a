"""What an author writes: snippet.toml, bases.toml, Dockerfiles and build contexts, read and validated."""
