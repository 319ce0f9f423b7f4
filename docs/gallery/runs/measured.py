"""
A bound, and a run below it
===========================

SGD on LoRA of a regression whose constants are certified, 128 times, against a theorem.
"""

import matplotlib.pyplot as plt

import boundcheck as bc

problem = {"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 16, "delta": 0.25, "noise": 0.5}
spec = {
    "claim": "meft.theorem2_repaired",
    "problem": problem,
    "adapter": {"rank": 2, "gain": 1.5},
    "run": {"replicas": 128, "audits": 48},
}
[run] = bc.measure(spec)
trace = run.to_xarray()
time, square = trace["time"].mean("replica"), trace["gradient_square_norm"].mean("replica")
plt.semilogy(time, square, label="mean of ‖∇F(v_t)‖² over 128 replicas")
plt.axhline(run.bound, color="tab:red", label="bound on the average")
plt.gca().set(xlabel="iteration t")
plt.legend()
run

# %%
# The hypotheses were audited on the run, and held. So the run may support the theorem,
# which is no proof.
