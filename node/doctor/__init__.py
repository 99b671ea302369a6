"""Is this node well? Each thing that usually goes wrong is looked at, and said with its mend."""
