"""Values that pages state: measured and cited facts, expressions over them, and claims."""
