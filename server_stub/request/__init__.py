"""The processing of a request: from bytes to the arguments of a rule, and from its result to bytes."""
