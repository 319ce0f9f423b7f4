"""Speed, each figure against its peer in one run: `python -m benchmarks`, or `make bench` for the
committed page."""
