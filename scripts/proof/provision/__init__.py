"""Provides base images: rebuilt from pinned packages, or pulled from a registry."""
