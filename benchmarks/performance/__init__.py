"""Measured speeds of engines, and how far the performance model and public estimators are from them."""
