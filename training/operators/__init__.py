"""Operators of a mesh that DiffusionNet works with: mass, Laplacian, its eigenpairs, and tangential gradients."""

from training.operators.compute import Operators, compute_operators, load_operators, save_operators
from training.operators.weld import Weld, weld

__all__ = ["Operators", "Weld", "compute_operators", "load_operators", "save_operators", "weld"]
