"""What `scripts/serve` runs: the site on this machine, brought up to date as an author saves."""
