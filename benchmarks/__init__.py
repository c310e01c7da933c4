"""Measurements: slow or large work, printed and never asserted."""
