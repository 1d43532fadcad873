"""The rules of ChatOps: a grammar over the company's own data; what writes is planned first."""
