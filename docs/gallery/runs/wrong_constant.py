"""
A constant that is too small
============================

Theorem 2 of jiang2024 has a factor 2.5. What if it had 1?
"""

import boundcheck as bc

spec = {
    "claim": "jiang2024.theorem2",
    "problem": {"kind": "hard", "steps": 60, "ratio": 0.15},
    "adapter": {"rank": 2, "start": "diagonal", "gain": 1e4},
    "domain": {"a": 10001.0, "b": 10001.0},
    "assume": {"bound": "bound/2.5"},
    "run": {"zeta": 1.0, "batch": 1, "replicas": 1024, "steps": 60, "audits": 60},
}
[run] = bc.measure(spec)
run

# %%
# All hypotheses held, and what was measured lies above the bound. So the claim is to blame.
