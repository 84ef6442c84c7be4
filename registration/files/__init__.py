"""File layer of registration: a capture or a mesh file in, the registered head, its summary and its picture out."""
