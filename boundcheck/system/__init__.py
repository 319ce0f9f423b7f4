"""What the program asks of the machine: files, processes, terminals, memory, and code from outside of the package."""
