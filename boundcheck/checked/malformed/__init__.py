"""Malformed inputs: specs, numbers, claims, instances, runs, texts and models' folders, each spoilt by a seed.

Each must be refused in one line, or accepted where the spoiling left it sound: without a traceback, within 20 s, and
within 2 GiB beyond what Python and torch map at their start.
"""
