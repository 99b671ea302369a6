"""Mail: rows written in the transaction of the fact, sent by a loop of their own."""
