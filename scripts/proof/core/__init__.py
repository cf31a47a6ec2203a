"""What all other packages use: errors, text, units, files. Imports none of them."""
