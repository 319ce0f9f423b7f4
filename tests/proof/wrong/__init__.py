"""The gallery of ways to be misled: statements that are false, or whose display would lie, one per
way in."""
