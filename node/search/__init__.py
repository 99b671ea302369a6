"""Finding: what this node knows of people, gigs, modules and posts, by words and by hashtags."""
