"""A real Kubernetes control plane on loopback with fake L4 nodes, to try a stack before it costs anything."""
