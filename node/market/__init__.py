"""Gigs: work that somebody offers, and work that somebody is looking for."""
