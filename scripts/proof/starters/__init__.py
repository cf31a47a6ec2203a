"""Writes what an author starts with: a project, a snippet."""
