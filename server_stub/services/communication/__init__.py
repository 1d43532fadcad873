"""Communication: e-mails, telephone calls and meetings."""
