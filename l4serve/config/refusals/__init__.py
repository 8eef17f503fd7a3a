"""What is wrong with a config, where it stands, and what was meant by it."""
