"""The lint: every rule that a page is refused by, and the words of English that the rules know."""
