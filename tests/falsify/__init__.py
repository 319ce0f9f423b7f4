"""Tests of `boundcheck.falsify`: no true claim is broken, every false one is, and only Arb says so."""
