"""Tests of the product, laid out as the rooms are."""
