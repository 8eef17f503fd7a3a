"""What a model needs on a GPU and beside it: weights, activations, graphs, KV cache, host memory."""
