"""Which nodes a workload runs on, what their drivers run, and what they cost."""
