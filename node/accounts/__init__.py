"""Who lives here: the node's own address, its accounts, their passwords and sessions."""
