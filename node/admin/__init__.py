"""The server, for whoever runs it: what is wrong, what waits, what it takes, and which other servers may speak."""
