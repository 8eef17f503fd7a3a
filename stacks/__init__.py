"""From a stack file to a built stack: the loader, the recipes and the wiring."""
