"""The CrossGuard policy pack: rules as pure functions, and the adapter that Pulumi runs."""
