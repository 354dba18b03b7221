"""Three invented states on one machine: started with nothing but Python, driven through the public HTTP interface only."""
