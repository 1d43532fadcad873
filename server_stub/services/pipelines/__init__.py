"""The rules of pipelines: their stages, and what happens by itself to the deals in them."""
