"""Run what an article shows, keep what really happened, and let its pages say nothing else."""
