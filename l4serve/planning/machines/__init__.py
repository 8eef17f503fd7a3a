"""Machines as Google sells them: shapes, cards, zones, prices, and what a node leaves for pods."""
