"""From the bytes of a request to the arguments of a rule: query, body, page, conditions."""
