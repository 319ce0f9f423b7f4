"""The imports of the process from which the others are forked, and the state in which they leave it."""

import importlib

import torch

# Threads do not survive a fork.
torch.set_num_threads(1)
for _name in (
    "boundcheck.cli",
    "boundcheck.checked.attacks",
    "boundcheck.experiment.bracket",
    "boundcheck.experiment.experiment",
    "boundcheck.functions.networks.gpt",
    "boundcheck.functions.networks.corpora",
    "boundcheck.present.page",
    "boundcheck.present.paper",
    "boundcheck.present.sections",
    "boundcheck.present.sections.checked",
    "boundcheck.worst_case.search",
    "boundcheck.proof.audit",
    "boundcheck.checked.inputs",
):
    importlib.import_module(_name)
