"""Runs snippets on an engine, and compares what they did with their captures."""
