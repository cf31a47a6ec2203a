"""The values on pages: measured and cited facts, expressions over them, and claims."""
