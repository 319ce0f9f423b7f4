"""Tests of `boundcheck.measure`: what is observed, and whether its verdicts are earned."""
