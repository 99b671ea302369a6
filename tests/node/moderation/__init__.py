"""Reports, on one node."""
