"""The site: MyST pages, with what the code knows read off the code when they are built. Nothing is
fetched.
"""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from boundcheck import __version__

# The colours of the theme would otherwise let every library tell what it does.
logging.getLogger().addHandler(logging.NullHandler())

project, author, release = "boundcheck", "The boundcheck authors", __version__
project_copyright = author

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "from_code"]
extensions += ["sphinx_gallery.gen_gallery"]
exclude_patterns = ["_build", "from_code", "gallery"]
# A name in backquotes is a link where the site has it, and code elsewhere.
default_role = "py:obj"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
napoleon_use_rtype = False

# Each example runs whenever the site is built; what sphinx-gallery writes is in docs/examples.
sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "examples",
    "filename_pattern": r"\.py$",
    "subsection_order": [f"gallery/{name}" for name in ("lemmas", "worst_cases", "papers", "runs")],
    "within_subsection_order": "FileNameSortKey",
    "run_stale_examples": True,
    "capture_repr": ("_repr_html_",),
    "reset_modules": ("matplotlib", "from_code.gallery.prepare"),
    "image_scrapers": ("matplotlib", "from_code.gallery.card"),
    "image_srcset": ["2x"],
    "download_all_examples": False,
    "show_signature": False,
    # How long it took here says nothing of elsewhere.
    "min_reported_time": 3600,
    "write_computation_times": False,
}

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
