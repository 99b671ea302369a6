"""Endorsements: what somebody says of a skill of somebody else, accepted, shown with all that is known, taken back."""
