"""The results of a run, in each format that someone reads."""
