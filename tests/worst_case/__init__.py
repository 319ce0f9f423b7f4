"""Tests of `boundcheck.worst_case`: no true claim is broken, every false one is, and only Arb says
so."""
