"""The configuration files: they compose, and say what the table in the documentation says."""

from pathlib import Path

import pytest
import yaml
from jsonargparse import ArgumentParser

from capture import InputError
from training import cli
from training.data.module import HeadData
from training.model.module import SkinLabeller

CONFIGS = Path(cli.__file__).parent / "configs"
ROWS = sorted(path.stem for path in (CONFIGS / "rows").glob("*.yaml"))


@pytest.fixture(scope="module")
def parser() -> ArgumentParser:
    """Our classes' options alone: Lightning's make a parser that takes a second to build."""
    result = ArgumentParser(exit_on_error=False)
    result.add_argument("--config", action="config")
    result.add_argument("--seed_everything", type=int)
    result.add_class_arguments(SkinLabeller, "model")
    result.add_class_arguments(HeadData, "data")
    result.add_argument("--trainer", type=dict)
    return result


def _composed(parser: ArgumentParser, *files: str) -> dict:
    words = [word for name in files for word in ("--config", str(CONFIGS / f"{name}.yaml"))]
    return yaml.safe_load(parser.dump(parser.parse_args([*words, "--data.dataset", "none"])))


def test_the_papers_model(parser: ArgumentParser) -> None:
    paper = _composed(parser, "paper")
    model, data = paper["model"], paper["data"]
    assert (model["network"], model["width"], model["blocks"], model["image_width"]) == ("diffusion_net", 128, 4, 512)
    assert (model["learning_rate"], model["weight_decay"], model["skin_weight"]) == (1e-3, 1e-5, 0.7)
    assert (data["eigenpairs"], data["vertices"], data["features"]["image_head"]) == (128, 20000, True)
    assert data["features"]["names"] == ["image", "surface_variation"]
    assert (paper["trainer"]["max_epochs"], model["distance_weight"], model["part_weight"]) == (60, 0, 0)


def test_the_recommended_model_is_the_papers_without_image_head_and_regularised(parser: ArgumentParser) -> None:
    lifted, ours = _flat(_composed(parser, "paper", "rows/lifted")), _flat(_composed(parser, "recommended"))
    changed = {key for key, value in ours.items() if lifted.get(key) != value}
    assert changed == {
        "model.feature_dropout",
        "model.schedule",
        "model.distance_weight",
        "model.part_weight",
        "data.vertices",
        "trainer.max_epochs",
        "trainer.check_val_every_n_epoch",
        "trainer.precision",
        "trainer.default_root_dir",
    }


@pytest.mark.parametrize("row", ROWS)
def test_a_row_changes_what_it_says_and_nothing_else(row: str, parser: ArgumentParser) -> None:
    paper, changed = _composed(parser, "paper"), _composed(parser, "paper", f"rows/{row}")
    wanted = _flat(yaml.safe_load((CONFIGS / "rows" / f"{row}.yaml").read_text()))
    before, after = _flat(paper), _flat(changed)
    assert {key: value for key, value in after.items() if before[key] != value}.items() <= wanted.items()
    assert all(after[key] == value for key, value in wanted.items())


def test_rows_compose_on_the_command_line(capsys: pytest.CaptureFixture) -> None:
    words = [
        word
        for name in ("paper", "rows/sam", "rows/mlp", "rows/mean", "rows/lifted")
        for word in ("--config", str(CONFIGS / f"{name}.yaml"))
    ]
    with pytest.raises(SystemExit) as done:
        cli.run(["fit", *words, "--data.dataset", "none", "--print_config"])
    assert done.value.code == 0
    both = yaml.safe_load(capsys.readouterr().out)
    assert both["model"]["network"] == "mlp" and both["model"]["image_width"] == 0
    features = both["data"]["features"]
    assert features["fusion"] == "mean" and features["backbone"]["source"] == "facebook/sam-vit-base"
    assert features["names"] == ["image", "surface_variation"] and features["image_head"] is False


def test_an_unknown_option_in_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("model: {widht: 3}")
    with pytest.raises(InputError, match="widht"):
        cli.run(["fit", "--config", str(tmp_path / "a.yaml"), "--data.dataset", "none"])


def _flat(value: dict, prefix: str = "") -> dict:
    result: dict = {}
    for key, item in value.items():
        result |= _flat(item, f"{prefix}{key}.") if isinstance(item, dict) else {f"{prefix}{key}": item}
    return result


def test_numbers_are_texts_and_empty_sections_the_defaults(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("data:\n  dataset: 2024\n  cache: 1:2\nmodel:\ntrainer:\n  callbacks:\n  # max_epochs: 3\n")
    with pytest.raises(SystemExit):
        cli.run(["fit", "--config", str(path), "--print_config"])
    mended = yaml.safe_load(capsys.readouterr().out)
    with pytest.raises(SystemExit):
        cli.run(["fit", "--data.dataset", "2024", "--data.cache", "1:2", "--print_config"])
    assert mended == yaml.safe_load(capsys.readouterr().out)
    assert mended["data"]["dataset"] == "2024" and mended["data"]["cache"] == "1:2"
