"""What somebody here should know: who wants something of them, and what became of what they published."""
