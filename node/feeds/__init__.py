"""Feeds: what a person, the board, the shelf or a hashtag has, for programs that look now and then."""
