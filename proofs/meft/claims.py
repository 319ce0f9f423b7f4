"""boundcheck's own claims in the setting of jiang2024: about LoRA, convergence, and the other
adapters.
"""

from . import adapters, lora, theorems

CLAIMS = (*lora.CLAIMS, *theorems.CLAIMS, *adapters.CLAIMS, *theorems.ADAPTIVE, *theorems.MERGED)
