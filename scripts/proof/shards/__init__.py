"""Splits a run over several machines, and merges the results."""
