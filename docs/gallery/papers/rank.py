"""
The root of the rank is slack
=============================

Lemma 1 bounds the smoothness of LoRA by a constant that grows with the root of the rank. How
steep can LoRA be?
"""

import matplotlib.pyplot as plt

import boundcheck as bc

ranks = (1, 2, 4, 8)
for name in ("meft.lemma1_sharp", "jiang2024.lemma1"):
    found = bc.falsify(name, bc.Search(ranks=ranks, starts=4, rounds=60, examples=0))
    largest = found.to_frame().groupby("rank")["ratio"].max()
    plt.plot(range(4), largest, "o-", label=bc.claims[name].title)
plt.gca().set(xlabel="rank", ylabel="certified, of the bound", ylim=(0, 1.05))
plt.xticks(range(4), ranks)
plt.legend()

# %%
# The sharp constant is attained at each rank. The printed one is reached at rank 1 alone.
