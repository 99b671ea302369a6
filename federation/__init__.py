"""What another server sees: inbox, outbox, delivery, fetch, discovery. Never says a word of the product."""
