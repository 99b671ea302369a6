"""Pictures: taken in with suspicion, made anew, found by what they contain."""
