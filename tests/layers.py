"""How tests are laid in layers: what each layer keeps of a test with many parametrisations.

The quick layer runs `FEW` parametrisations of a test, spread evenly over all of them; the rest is
full. Of a test that is marked `full`, because it is slow, the full layer runs `MORE`; the rest is
nightly. LAYERS.md says how to ask for something else.
"""

from collections import defaultdict
from itertools import product

import pytest
from hypothesis import settings

# Of a test, and of a test that is full, unless a mark says otherwise.
FEW = 4
MORE = 8

# Too slow for the quick layer.
full = pytest.mark.full

# In the quick layer each value of each parameter once, in place of the product; the rest of the
# product is full.
covering = pytest.mark.covering

# What a profile of Hypothesis asks for where a test asks for nothing.
EXAMPLES = 100


def sampled(every, first=0):
    """Each so manieth of the parametrisations, in the order of collection; the rest are full, or
    nightly if it is."""
    return pytest.mark.sampled(every, first)


def examples(most, **options):
    """So many examples of a test, or the share of them that the chosen profile takes of `EXAMPLES`,
    but not under 5."""
    return settings(
        max_examples=max(min(most, 5), most * settings.default.max_examples // EXAMPLES), **options
    )


def lay(items):
    """Mark as full, or of a full test as nightly, what the layer before leaves out of each test."""
    functions = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            functions[item.parent, item.originalname].append(item)
    for parametrised in functions.values():
        if parametrised[0].get_closest_marker("covering"):
            left_out = _not_covering(parametrised)
        elif mark := parametrised[0].get_closest_marker("sampled"):
            every, first = mark.args
            left_out = [item for place, item in enumerate(parametrised) if (place - first) % every]
        else:
            # A parametrisation may be full by itself; of a test that is full all are.
            own = [item for item in parametrised if not item.get_closest_marker("nightly")]
            full = [item for item in own if item.get_closest_marker("full")]
            quick = [item for item in own if not item.get_closest_marker("full")]
            left_out = [*_not_spread(quick, FEW), *_not_spread(full, MORE)]
        for item in left_out:
            item.add_marker(
                pytest.mark.nightly if item.get_closest_marker("full") else pytest.mark.full
            )


def _not_spread(items, most):
    """All but so many, spread evenly."""
    kept = {(2 * i + 1) * len(items) // (2 * most) for i in range(most)}
    return [item for place, item in enumerate(items) if place not in kept]


def _not_covering(items):
    """All but those on the diagonal of the product, whose shorter sides are gone along again and
    again."""
    # The last decorator comes first, and goes the slowest.
    sizes = [len(mark.args[1]) for mark in items[0].iter_markers("parametrize")]
    places = list(product(*map(range, sizes)))
    if len(places) != len(items):
        # Chosen by their ids on the command line.
        return []
    diagonal = {tuple(step % size for size in sizes) for step in range(max(sizes))}
    return [item for item, place in zip(items, places, strict=True) if place not in diagonal]
