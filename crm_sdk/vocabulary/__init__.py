"""The words of the interface: error codes, what names mean, and the texts of calls, arguments and members."""
