"""Committed measurements: the only data that the run side and the page side share."""
