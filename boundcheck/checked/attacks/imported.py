"""The imports of the process from which the others are forked, and the state in which they leave it."""

import importlib

import torch

# Threads do not survive a fork.
torch.set_num_threads(1)
for _name in (
    "boundcheck.cli",
    "boundcheck.checked.attacks.process",
    "boundcheck.measure.bracket",
    "boundcheck.measure.experiment",
    "boundcheck.networks.pretrain",
    "boundcheck.networks.corpora",
    "boundcheck.report.page",
    "boundcheck.report.paper",
    "boundcheck.report.sections",
    "boundcheck.report.sections.checked",
    "boundcheck.falsify.search",
    "boundcheck.prove.outcome",
    "boundcheck.checked.malformed.sound",
):
    importlib.import_module(_name)
