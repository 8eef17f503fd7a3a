"""Inputs of a stranger's kind, and what a command may do with them at the most."""
