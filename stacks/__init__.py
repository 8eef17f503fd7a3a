"""The wiring of a stack, its settings from Pulumi, and the recipes."""
