"""Rocq as a second checker: derivations written for it, and which of them it has checked."""
