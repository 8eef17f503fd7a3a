"""From a stack's config to frozen plan values, without a clock, a network or a cloud SDK."""
