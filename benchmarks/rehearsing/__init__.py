"""Random stacks, planned and then rehearsed by the hundred on one running control plane."""
