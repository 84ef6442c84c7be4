"""Our network with the authors' weights gives the authors' outputs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from training.diffusion_net import DiffusionNet, Surface, VertexMLP
from training.diffusion_net.layers import GradientFeatures

PARITY = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "diffusion_net_parity"
needs_parity = pytest.mark.skipif(not PARITY.is_dir(), reason=f"the authors' weights are not at {PARITY}")


def _surface(case: dict[str, np.ndarray]) -> Surface:
    count = len(case["vertices"])
    gradients = [
        torch.sparse_coo_tensor(
            torch.from_numpy(case[f"grad_{axis}_indices"]),
            torch.from_numpy(case[f"grad_{axis}_values"]),
            (count, count),
            check_invariants=True,
        )
        for axis in "xy"
    ]
    tensors = (torch.from_numpy(case[key]) for key in ("mass", "eigenvalues", "eigenvectors"))
    return Surface(*tensors, *gradients, faces=torch.from_numpy(case["faces"]))


@needs_parity
@pytest.mark.parametrize("where", ["vertices", "faces"])
def test_authors_weights_give_authors_outputs(where: str) -> None:
    with np.load(PARITY / "case.npz", allow_pickle=False) as file:
        case = dict(file)
    network = DiffusionNet(3, 8, width=128, blocks=4, outputs_at=where)
    network.load_state_dict(torch.load(PARITY / "weights.pth", weights_only=True), strict=True)
    network.eval()
    with torch.no_grad():
        ours = network(torch.from_numpy(case["features"]), _surface(case)).log_softmax(-1).numpy()
    np.testing.assert_allclose(ours, case[f"log_probabilities_at_{where}"], atol=1e-4)


@needs_parity
def test_gradients_of_the_eigenbasis_are_the_same_network() -> None:
    """Up to rounding: the gradients cancel, so single precision leaves about 1e-4 in probability."""
    with np.load(PARITY / "case.npz", allow_pickle=False) as file:
        case = dict(file)
    network = DiffusionNet(3, 8, width=128, blocks=4)
    network.load_state_dict(torch.load(PARITY / "weights.pth", weights_only=True), strict=True)
    network.eval()
    surface = _surface(case)
    surface.gradient_x = (surface.gradient_x.double() @ surface.eigenvectors.double()).float()
    surface.gradient_y = (surface.gradient_y.double() @ surface.eigenvectors.double()).float()
    with torch.no_grad():
        ours = network(torch.from_numpy(case["features"]), surface).softmax(-1).numpy()
    np.testing.assert_allclose(ours, np.exp(case["log_probabilities_at_vertices"]), atol=2e-4)


def _random_surface(vertices: int = 30, modes: int = 5) -> Surface:
    generator = torch.Generator().manual_seed(0)
    mass = torch.rand(vertices, generator=generator) + 0.5
    basis = [torch.randn(vertices, modes, generator=generator) for _ in range(3)]
    faces = torch.randint(vertices, (12, 3), generator=generator)
    edges = torch.randint(vertices, (20, 2), generator=generator)
    return Surface(mass, torch.arange(modes).float(), *basis, faces=faces, edges=edges)


@pytest.mark.parametrize(
    ("where", "rows"), [("vertices", (30,)), ("faces", (12,)), ("edges", (20,)), ("global_mean", ())]
)
def test_output_shapes(where: str, rows: tuple[int, ...]) -> None:
    network = DiffusionNet(4, 2, width=8, blocks=2, outputs_at=where)
    assert network(torch.zeros(30, 4), _random_surface()).shape == (*rows, 2)


def test_unknown_output_is_refused() -> None:
    with pytest.raises(ValueError, match="outputs_at"):
        DiffusionNet(4, 2, outputs_at="corners")


def test_gradient_features_do_not_depend_on_the_tangent_frame() -> None:
    torch.manual_seed(0)
    layer = GradientFeatures(6)
    x, y = torch.randn(2, 50, 6)
    angle = torch.rand(50, 1) * 6.28
    turned = torch.cos(angle) * x - torch.sin(angle) * y, torch.sin(angle) * x + torch.cos(angle) * y
    torch.testing.assert_close(layer(x, y), layer(*turned), atol=1e-5, rtol=1e-5)


def test_every_parameter_is_trained() -> None:
    network = DiffusionNet(4, 2, width=8, blocks=2)
    network(torch.randn(30, 4), _random_surface()).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_mlp_looks_at_each_vertex_alone() -> None:
    network = VertexMLP(4, 2, width=8).eval()
    features = torch.randn(30, 4)
    whole = network(features, _random_surface())
    torch.testing.assert_close(network(features[:5], _random_surface()), whole[:5])
