"""Configuration of the documentation: ``sphinx-build -W --keep-going -b html docs docs/_build/html``."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / '_ext'), str(HERE.parent)]

from mmamr.version import __version__  # noqa: E402

project = 'mmamr'
author = 'The mmamr developers'
copyright = '2026, The mmamr developers'
version = release = __version__

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.mathjax',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
    'results_table',
]
exclude_patterns = ['_build']
source_suffix = {'.md': 'markdown', '.rst': 'restructuredtext'}

myst_enable_extensions = ['colon_fence', 'dollarmath']
myst_heading_anchors = 3

# Defaults stand in the docstrings; types are repeated there, with shapes.
autodoc_default_options = {'members': True, 'show-inheritance': True}
autodoc_typehints = 'none'
autodoc_member_order = 'bysource'
autoclass_content = 'class'
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

html_theme = 'furo'
html_title = f'mmamr {release}'
html_static_path = []
