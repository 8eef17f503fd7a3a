"""The console script l4serve: thin commands over planning, rendering and the sandbox."""
