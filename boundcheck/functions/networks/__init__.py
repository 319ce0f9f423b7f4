"""Transformers: a built-in GPT, adapters in any network, the bridge to transformers and peft, and
runs of them.
"""
