"""Convergence theorems of other papers, to compare with jiang2024's."""
