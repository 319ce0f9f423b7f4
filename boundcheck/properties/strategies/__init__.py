"""The Hypothesis strategies; `boundcheck.properties` has those that are meant for tests of one's own."""
