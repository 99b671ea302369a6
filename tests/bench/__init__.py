"""Benchmarks: `make bench`. Never part of the test suite, and no assertion here is about time."""
