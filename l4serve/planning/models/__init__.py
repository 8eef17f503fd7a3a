"""What an open model's shape is: layers, heads, widths, vocabulary, quantisation, and where each figure comes from."""
