"""A real Kubernetes control plane on loopback with fake GPU nodes, to try a stack before it costs anything."""
