"""Learning modules: texts that teach something, under a licence, signed by who wrote them."""
