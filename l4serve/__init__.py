"""What the program knows, and its tools; no cloud SDK is loaded here."""
