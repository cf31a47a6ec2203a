"""The finishing step between a built site and a published one: what a page loads, allows, and says of itself.

It reads HTML and knows no site generator's insides, so that any generator's output can be published.
"""
