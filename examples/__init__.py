"""Small programs that use the domain outside the pipeline; nothing of the pipeline needs them."""
