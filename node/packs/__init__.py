"""Starter packs: lists of people that somebody recommends, signed, to follow some or all of."""
