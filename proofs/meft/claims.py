"""boundcheck's own claims in the setting of jiang2024: about LoRA, convergence, and the other adapters."""

from . import adapters, adaptive, lora, relora, theorems

CLAIMS = (*lora.CLAIMS, *theorems.CLAIMS, *adapters.CLAIMS, *adaptive.CLAIMS, *relora.CLAIMS)
