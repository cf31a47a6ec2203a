"""Runs snippets on an engine, and compares the results with their captures."""
