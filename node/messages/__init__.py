"""What people write to each other alone: direct posts, and enquiries of visitors who have no account anywhere."""
