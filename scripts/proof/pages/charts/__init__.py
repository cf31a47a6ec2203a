"""Charts of facts: a ``` chart fence becomes a figure with inline SVG and a table of its numbers."""
