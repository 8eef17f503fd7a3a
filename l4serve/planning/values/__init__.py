"""Names and quantities that every room of planning uses."""
