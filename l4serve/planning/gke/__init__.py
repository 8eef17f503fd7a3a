"""What GKE makes: cluster, node pools, compute classes, network, token; and what it refuses."""
