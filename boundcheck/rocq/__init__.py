"""Proofs as files for Rocq, a second checker."""
