"""What the extension adds to Python-Markdown: a module for each element that a page may have."""
