"""Measurements, one subject a file; each prints JSON."""
