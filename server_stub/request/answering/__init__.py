"""From the result of a rule to the bytes of an answer: members, envelopes, links, files."""
