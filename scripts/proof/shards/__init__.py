"""A run spread over several machines: how it is divided, and how its results are put together again."""
