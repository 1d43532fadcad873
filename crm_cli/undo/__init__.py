"""``crm undo``: a journal of this machine's writes, and how each of them is taken back."""
