"""Who reaches the pods, and whom they reach: keys, routes, pickers, network policies."""
