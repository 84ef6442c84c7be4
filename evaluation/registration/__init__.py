"""Pulling a template head onto the skin of a scan, and measuring how near it comes to the truth."""
