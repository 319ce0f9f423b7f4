"""Tests of `boundcheck.experiment`: what is observed, and whether its verdicts are earned."""
