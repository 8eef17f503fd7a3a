"""What pods are made of: resources, volumes, identity, probes, and how long they take to start."""
