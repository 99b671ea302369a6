"""Posts, follows, people, and the home timeline that shows what those whom one follows publish."""
