"""Bottou, Curtis and Nocedal, Optimization methods for large-scale machine learning, SIAM Review
60(2), 2018.
"""
