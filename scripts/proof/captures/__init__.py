"""What the tool measured, as committed: the only thing that the run side and the page side share."""
