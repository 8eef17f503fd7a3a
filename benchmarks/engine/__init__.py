"""Benchmarks of the real Pulumi engine on the sandbox; run them from the repository's root, with the tests' helpers."""
