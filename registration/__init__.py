"""Registration: a template head pulled onto the skin of a scan."""
