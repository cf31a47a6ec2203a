"""How often the lint of pages is wrong."""
