"""What changes between two plans of a stack: for the people served, for the resources, and for the bill."""
