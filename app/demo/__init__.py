"""Three invented states on one machine, with nothing but Python, driven through the public HTTP interface only."""
