"""The preview (`scripts/serve`): serves the site locally and updates it whenever the author saves a file."""
