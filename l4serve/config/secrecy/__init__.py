"""What a secret looks like, what its place is called, and how it is hidden."""
