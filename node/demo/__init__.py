"""Three nodes on one machine: for people who want to see what this is, and for a machine that asks whether it works."""
