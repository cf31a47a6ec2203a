"""Reports of a run's results: on the terminal, as JSON, JUnit XML, GitHub annotations and Markdown."""
