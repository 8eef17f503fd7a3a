"""One workload: where it runs, what it asks for, how it is judged, scaled and rolled out."""
