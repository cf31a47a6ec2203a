"""What every other package uses: errors, text, units, files. It imports nothing of the other packages."""
