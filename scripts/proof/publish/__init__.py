"""Finishes a built site for publishing: what its pages load, what they allow, and their metadata.

It works on HTML and does not depend on a site generator, so it can finish the output of any.
"""
