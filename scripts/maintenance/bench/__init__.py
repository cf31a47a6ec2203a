"""The benchmarks (`scripts/bench`): how long the tool takes compared with the commands it runs, as ratios."""
