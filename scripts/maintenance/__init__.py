"""What maintains this repository. It isn't installed with the tool."""
