"""A node in one file, sealed to a phrase on paper; and the way back."""
