"""Credentials: issued, held, shown, checked, taken back."""
