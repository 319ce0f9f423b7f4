"""The site: MyST pages, with what the code knows read off the code when they are built. Nothing is
fetched.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from boundcheck import __version__

project, author, release = "boundcheck", "The boundcheck authors", __version__
project_copyright = author

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "from_code"]
exclude_patterns = ["_build", "from_code"]
# A name in backquotes is a link where the site has it, and code elsewhere.
default_role = "py:obj"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"boundcheck {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
# A page from disk may not read another one, which a summary would need; the index is a script,
# which it may.
html_show_search_summary = False
