"""What the table of verdicts needs: how Student's interval fares, and the ends of a bracket."""

from boundcheck.checked.coverage import STUDENT_ON_SKEWED
from boundcheck.problems.adapters import title_of
from boundcheck.report.sections.smoothness import ends

__all__ = ["STUDENT_ON_SKEWED", "ends", "title_of"]
