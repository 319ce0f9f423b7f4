"""Convergence theorems of other papers, to stand beside jiang2024's."""
