"""One request on its way through the stub: from bytes to a rule, and from its answer to bytes."""
