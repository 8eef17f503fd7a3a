"""What a command line says: its words, its objects, and what the release's parser makes of them."""
