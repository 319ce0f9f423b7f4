"""Inner loops that numba compiles where it is installed; each has a portable twin in PyTorch."""
