"""DiffusionNet (Sharp et al., "DiffusionNet: Discretization Agnostic Learning on Surfaces", 2022)."""

from training.diffusion_net.network import DiffusionNet, VertexMLP
from training.diffusion_net.surface import Surface

__all__ = ["DiffusionNet", "Surface", "VertexMLP"]
