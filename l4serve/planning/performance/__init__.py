"""How fast an engine serves a model on a GPU: the time of one step, a load on it, and what a token then costs."""
