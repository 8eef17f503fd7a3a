"""Servers that speak the engines' HTTP interfaces, and break on demand."""
