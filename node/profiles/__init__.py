"""The freelancer: who they are, what they can do, and whether they are free yet."""
