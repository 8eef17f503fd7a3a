"""The plan of a whole stack: its workloads, cost, edits and notes."""
