"""Readers and writers of OpenEXR and PNG files, with numpy and the standard library alone."""
