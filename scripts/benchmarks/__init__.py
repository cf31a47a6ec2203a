"""What `scripts/bench` runs: how long the tool takes beside what it runs, as ratios within one run."""
