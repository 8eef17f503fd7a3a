"""What a command is about: stacks, commits, models and keys, and the options that name them."""
