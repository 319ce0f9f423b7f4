"""Specs of what is one's own here, and the paths by which it is named."""

HERE = "tests.outside"
OBJECTIVE = f"{HERE}.my_objective:LogCosh"
ADAPTER = f"{HERE}.my_adapter:Scaled"
BRACKET = {
    "claim": f"{HERE}.my_adapter:SMOOTH",
    "problem": {"kind": OBJECTIVE},
    "adapter": {"kind": ADAPTER, "scale": 0.5},
    "domain": {"rho": 1.0},
    "bracket": {"pairs": 32, "iterates": 4, "points": 2, "ascents": 2, "rounds": 2, "looks": 2},
}
