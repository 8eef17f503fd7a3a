"""Reading an engine release as text, without running it, into a contract file."""
