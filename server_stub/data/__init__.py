"""The data of the stub: documents, indexes, transactions, the state file, and the queries of lists."""
