"""Reports: what people here say about others to the servers of these, and what others say about people here."""
