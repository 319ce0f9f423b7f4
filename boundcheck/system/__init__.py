"""The ways to deal with the machine: files, processes, terminals, memory, and code from outside of
the package.
"""
