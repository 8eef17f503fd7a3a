"""Which pods fit on which nodes, and which machine type holds them cheapest."""
