"""Who may hear whom: requests to follow, blocks, mutes, moving house, and lists that come and go as files."""
