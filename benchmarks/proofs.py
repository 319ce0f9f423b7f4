"""How long the kernel takes to replay every line of jiang2024's proofs, and how long they take to
find, cold.

Cold: in a fresh process, in which no proof was run. `python -m benchmarks proofs`.
"""

import sys

import boundcheck as bc
from benchmarks.line import Benchmark, Effort, Found, Limit, in_turns, within
from benchmarks.startup import ran
from boundcheck.kernel import replay_all

PROVE = f"import boundcheck as bc; bc.prove({'jiang2024'!r})"


def cold(effort: Effort) -> Found:
    """All proofs of jiang2024 in a fresh process, from its start to its end."""
    turns = in_turns(
        {"ours": lambda: ran([sys.executable, "-c", PROVE])}, min(effort.turns, 3), warm=False
    )
    return within(turns["ours"], 10.0)


def replay(effort: Effort) -> Found:
    """The kernel rebuilds every line of every proof."""
    audit = bc.prove("jiang2024")
    theorems = [
        step.step.theorem
        for claim in audit.claims
        for proof in claim.proofs
        for step in proof.steps
    ]
    turns = in_turns({"ours": lambda: replay_all(theorems)}, effort.turns)
    found = within(turns["ours"], 0.5)
    return Found(found.value, found.ours, found.theirs, turns, (f"{len(theorems)} lines.",))


BENCHMARKS = (
    Benchmark(
        "proofs.cold",
        "all proofs of jiang2024, cold",
        "a limit",
        "s",
        "s",
        "bc.prove in a fresh process: imports, the search for certificates, witnesses, and the"
        " kernel's checks.",
        cold,
        Limit(10.0),
        is_long=True,
    ),
    Benchmark(
        "proofs.replay",
        "the kernel's replay of all of them",
        "a limit",
        "s",
        "s",
        "The kernel rebuilds each line from its derivation alone; nothing is searched.",
        replay,
        Limit(0.5),
        why=(
            "A line takes it a millisecond: half of that builds every term anew from its content,"
            " so that no stored key is believed, and half is the rules."
        ),
    ),
)
