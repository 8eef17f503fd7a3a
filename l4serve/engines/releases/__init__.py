"""What each release accepts and shows, and what differs between engines."""
