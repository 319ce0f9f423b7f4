"""The Hypothesis strategies; `boundcheck.testing` has those that are meant for tests of one's own."""
