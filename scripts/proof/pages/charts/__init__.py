"""Facts → pictures: what an author asks for in a ``` chart fence, as a figure with inline SVG and its numbers."""
