"""`make fuzz`, or `python -m tests.fuzz`: say what others may never say, and see that nothing happens."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import time

from tests.fuzz.run import Report, run


def main(arguments: list[str] | None = None) -> int:
    """Run; returns 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="the same seed, the same activities")
    parser.add_argument("--count", type=int, default=100_000, help="how many, default 100,000")
    parser.add_argument("--start", type=int, default=0, help="the number of the first")
    options = parser.parse_args(arguments)
    began = time.monotonic()

    def told(report: Report) -> None:
        seconds = time.monotonic() - began
        statuses = ", ".join(f"{status}: {many:,}" for status, many in sorted(report.statuses.items()))
        say(f"\r{report.count:,} of {options.count:,}, {report.count / seconds:.0f} a second  {statuses}   ")
        if report.finding is not None:
            say(f"\nwrong: {report.finding.what}\nlooking for the least that does it\n")

    say(f"seed {options.seed}\n")
    report = asyncio.run(run(options.seed, options.count, start=options.start, told=told))
    outcomes = ", ".join(f"{state}: {many:,}" for state, many in sorted(report.outcomes.items()))
    say(f"\n{report.pages:,} pages looked at; messages {outcomes or 'not counted'}\n")
    if report.finding is not None:
        say(f"{report.finding}\n")
        return 1
    say("nothing is wrong\n")
    return 0


def say(text: str) -> None:
    """At once."""
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
