"""
A claim is data
===============

Lemma 1 of jiang2024, as the catalogue has it.
"""

import boundcheck as bc

claim = bc.claims["jiang2024.lemma1"]
print(claim.bound(L=1, C=1, sigma=1, G=3, r=4))
claim

# %%
# Its formula is written once. Number, curve, LaTeX and the goal of its proof come from it.
