"""A seeded fuzzer: valid activities of all kinds, changed at random, signed by those who send them, through the door.

`cast` says who there is, `valid` what they may say, `mutations` what is done to it; `cases` puts these together: a seed
and a number give one activity, always the same. `arena` is a node that takes them, `invariants` what must be true of it
afterwards, `run` the way from a seed to a report. `make fuzz` runs many, `tests/hostile/test_fuzz.py` a few.
"""
