"""Our network with the authors' weights gives the authors' outputs."""

from dataclasses import fields

import numpy as np
import pytest
import torch

from tests.helpers import SHARED, needs_shared
from tests.training import toy
from training.data.batch import to_surface
from training.diffusion_net import DiffusionNet, Surface, VertexMLP
from training.diffusion_net.functions import GradientProducts, ReluDropout, drop_
from training.diffusion_net.layers import GradientFeatures
from training.operators import compute_operators

PARITY = SHARED / "data" / "diffusion_net_parity"
needs_parity = needs_shared(PARITY, "the authors' weights")


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
    # Theirs are sums of single precision, up to 6e-4 off the exact ones; how far ours are is the processor's matter.
    np.testing.assert_allclose(ours, case[f"log_probabilities_at_{where}"], rtol=0, atol=6e-4)


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


def test_a_surface_serves_training_after_an_evaluation() -> None:
    """What it keeps for the next step is no tensor of inference."""
    network, surface, features = DiffusionNet(4, 2, width=8, blocks=1), _random_surface(), torch.randn(30, 4)
    with torch.inference_mode():
        network(features, surface)
    network(features, surface).square().sum().backward()
    assert network.first_lin.weight.grad is not None


def test_every_parameter_is_trained() -> None:
    network = DiffusionNet(4, 2, width=8, blocks=2)
    network(torch.randn(30, 4), _random_surface()).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("gradients", [True, False])
def test_evaluation_in_parts_is_the_same_network(gradients: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    surface = _random_surface(vertices=50)
    double = Surface(*(getattr(surface, f.name).double() for f in fields(Surface)[:5]))
    network = DiffusionNet(6, 3, width=8, gradients=gradients).double().eval()
    features = torch.randn(50, 6, dtype=torch.float64)
    whole = network(features, double)
    monkeypatch.setattr("training.diffusion_net.layers.PART", 7)
    with torch.no_grad():
        parts = network(features, double)
    torch.testing.assert_close(parts, whole.detach(), rtol=1e-10, atol=1e-12)


def test_mlp_looks_at_each_vertex_alone() -> None:
    network = VertexMLP(4, 2, width=8).eval()
    features = torch.randn(30, 4)
    whole = network(features, _random_surface())
    torch.testing.assert_close(network(features[:5], _random_surface()), whole[:5])


@needs_parity
def test_gradients_of_the_eigenbasis_are_nearer_to_the_exact_sums() -> None:
    """In double precision both forms agree; in single precision ours errs less than the authors' implementation."""
    with np.load(PARITY / "case.npz", allow_pickle=False) as file:
        case = dict(file)
    network = DiffusionNet(3, 8, width=128, blocks=4)
    network.load_state_dict(torch.load(PARITY / "weights.pth", weights_only=True), strict=True)
    results = {}
    for name, dtype, dense in (("exact", torch.float64, False), ("ours", torch.float64, True), ("single", None, True)):
        dtype = dtype or torch.float32
        sparse = _surface(case)
        vectors = sparse.eigenvectors.double()
        pair = [gradient.double() for gradient in (sparse.gradient_x, sparse.gradient_y)]
        pair = [(gradient @ vectors if dense else gradient).to(dtype) for gradient in pair]
        surface = Surface(sparse.mass.to(dtype), sparse.eigenvalues.to(dtype), vectors.to(dtype), *pair)
        with torch.no_grad():
            scores = network.eval().to(dtype)(torch.from_numpy(case["features"]).to(dtype), surface)
        results[name] = scores.log_softmax(-1).double().numpy()
    theirs = case["log_probabilities_at_vertices"]
    np.testing.assert_allclose(results["ours"], results["exact"], atol=1e-9)
    np.testing.assert_allclose(results["single"], results["exact"], atol=2e-4)
    assert np.abs(results["single"] - results["exact"]).max() < np.abs(theirs - results["exact"]).max()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_dropout_drops_independently(dtype: torch.dtype, probability: float) -> None:
    torch.manual_seed(0)
    kept = (drop_(torch.ones(501, 401, dtype=dtype), probability) != 0).double()
    assert kept.mean() == pytest.approx(1 - probability, abs=0.004)  # four deviations of 200,000 draws
    for shifted in (kept[1:] * kept[:-1], kept[:, 1:] * kept[:, :-1]):
        assert shifted.mean() == pytest.approx((1 - probability) ** 2, abs=0.006)
    assert set(drop_(torch.full((64, 3), 7.0, dtype=dtype), probability).unique().tolist()) == {0.0, 7.0}


def test_training_has_the_expectation_of_evaluation() -> None:
    """One hidden layer: dropout and its scale leave the mean output as it is."""
    torch.manual_seed(0)
    network = VertexMLP(4, 2, width=64, layers=1, dropout=0.3)
    features = torch.randn(5, 4)
    with torch.no_grad():
        mean = network.train()(features.repeat(20000, 1), _random_surface()).view(20000, 5, 2).mean(0)
        torch.testing.assert_close(mean, network.eval()(features, _random_surface()), atol=0.02, rtol=0)


def test_written_out_derivatives() -> None:
    torch.manual_seed(0)
    arguments = [torch.randn(shape, dtype=torch.float64) for shape in ((5, 4), (4, 4), (4, 4), (9, 5), (9, 5))]
    arguments[:3] = [value.requires_grad_() for value in arguments[:3]]
    assert torch.autograd.gradcheck(GradientProducts.apply, arguments)
    signal = torch.randn(9, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: ReluDropout.apply(x * 1.0, 0.0), [signal])


def test_derivative_of_what_was_dropped_is_zero() -> None:
    torch.manual_seed(0)
    signal = torch.randn(50, 40, requires_grad=True)
    result = ReluDropout.apply(signal * 1.0, 0.5)
    result.sum().backward()
    torch.testing.assert_close(signal.grad, (result > 0).float())


def test_sparse_and_dense_gradients_train_alike() -> None:
    torch.manual_seed(0)
    count, modes = 40, 6
    mass, values = torch.rand(count, dtype=torch.float64), torch.arange(modes, dtype=torch.float64)
    vectors, x, y = (torch.randn(count, columns, dtype=torch.float64) for columns in (modes, count, count))
    network = DiffusionNet(4, 2, width=8, blocks=2, dropout=0.0).double()
    features = torch.randn(count, 4, dtype=torch.float64)
    gradients = []
    for pair in ((x @ vectors, y @ vectors), (x.to_sparse(), y.to_sparse())):
        network.zero_grad()
        network(features, Surface(mass, values, vectors, *pair)).square().sum().backward()
        gradients.append([parameter.grad.clone() for parameter in network.parameters()])
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_bfloat16_predicts_what_single_precision_does() -> None:
    """A network is as accurate on another mesh in whichever precision it was trained and is judged."""
    accuracy = {}
    data = [_noisy_positions(seed) for seed in range(4)]
    for trained in (torch.float32, torch.bfloat16):
        torch.manual_seed(0)
        network = DiffusionNet(3, 2, width=16, blocks=1)
        optimiser = torch.optim.Adam(network.parameters(), 1e-2)
        for step in range(40):
            features, surface, labels = data[step % 3]
            with torch.autocast("cpu", torch.bfloat16, enabled=trained == torch.bfloat16):
                loss = torch.nn.functional.cross_entropy(network(features, surface), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        features, surface, labels = data[3]
        for judged in (torch.float32, torch.bfloat16):
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=judged == torch.bfloat16):
                scores = network.eval()(features, surface)
            assert scores.dtype == torch.float32
            accuracy[trained, judged] = float((scores.argmax(-1) == labels).float().mean())
    assert accuracy[torch.float32, torch.float32] > 0.93, accuracy
    assert min(accuracy.values()) > accuracy[torch.float32, torch.float32] - 0.01, accuracy


def _noisy_positions(seed: int) -> tuple[torch.Tensor, Surface, torch.Tensor]:
    """Positions with so much noise that only an average over the surface tells on which side of a plane one is."""
    vertices, faces, _ = toy.toy_mesh(seed, subdivisions=3)
    positions = vertices / toy.RADIUS
    noise = np.random.default_rng(seed).normal(0, 0.7, positions.shape)
    labels = torch.from_numpy(positions @ [0.6, 0.0, 0.8] > 0.2).long()
    return torch.from_numpy(positions + noise).float(), to_surface(compute_operators(vertices, faces, 48)), labels
