"""What each engine version accepts, as data, and the command lines derived from it."""
