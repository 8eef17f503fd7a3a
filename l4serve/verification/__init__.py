"""Checks that a running server keeps its engine's contract; the network I/O behind `l4serve verify`."""
