"""What proves who said it: keys, signatures, proofs, sealing. Never opens a socket, a database or a clock."""
