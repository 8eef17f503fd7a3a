"""Reads what somebody wrote: regular files of bounded size, JSON, and YAML as Pulumi's own reader gives it."""
