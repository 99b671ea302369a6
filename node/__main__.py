"""`python -m node` is `freehold`."""

from node.cli import main

main()
