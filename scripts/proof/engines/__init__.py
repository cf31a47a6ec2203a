"""Container engines: a private Docker daemon, or the user's own Docker or Podman."""
