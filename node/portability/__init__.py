"""What is somebody's own goes with them: out as an archive, in on a fresh node, and away when they leave."""
