"""Theorems about momentum, steps that depend on the run, and convex functions."""
