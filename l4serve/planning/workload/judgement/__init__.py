"""Whether a workload can work: its release, its rules, its memory, its remedies, its speed."""
