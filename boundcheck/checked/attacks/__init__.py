"""Commands under attack: killed, short of disk, given damaged files, or run twice at a time. No work may be lost.

A trial is one subject under one attack, in a process of its own. Its end is held against that of the same command
which nobody attacked, byte by byte.
"""
