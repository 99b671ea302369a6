"""Requests, blocks, mutes, moving and lists, on one node."""
