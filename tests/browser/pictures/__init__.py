"""The picture in the README, taken from the demo: `python -m tests.browser.pictures` takes it anew."""
