"""Sharper and repaired statements about MeFT, boundcheck's own."""
