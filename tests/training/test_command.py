"""The command line of training: bundled configurations by name, a help that is short, parameters called as options."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from capture import InputError
from training import cli
from training.config_files import CONFIGS, find_config, names, with_paths
from training.pixels import cli as pixels


def test_bundled_configurations_have_names() -> None:
    assert {"demo", "paper", "pixels", "recommended", "rows/mlp"} <= set(names())
    assert find_config("recommended") == find_config("recommended.yaml") == str(CONFIGS / "recommended.yaml")
    assert find_config("rows/mlp") == str(CONFIGS / "rows" / "mlp.yaml")


def test_a_path_that_exists_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recommended.yaml").write_text("seed_everything: 1\n")
    assert find_config("recommended.yaml") == "recommended.yaml"
    assert find_config("recommended") == str(CONFIGS / "recommended.yaml")
    Path("rows").mkdir()
    Path("rows", "mlp").write_text("")
    assert find_config("rows/mlp") == "rows/mlp"


def test_an_unknown_name_lists_those_that_there_are() -> None:
    with pytest.raises(InputError, match=r"no configuration recomended: .*paper, pixels, recommended, rows/dinov2"):
        find_config("recomended")


def test_names_are_replaced_wherever_a_configuration_stands() -> None:
    path = str(CONFIGS / "paper.yaml")
    assert with_paths(["fit", "--config", "paper", "--data.dataset", "paper"]) == [
        "fit",
        "--config",
        path,
        "--data.dataset",
        "paper",
    ]
    assert with_paths(["-c", "paper"]) == ["-c", path]
    assert with_paths(["--config=paper"]) == [f"--config={path}"]
    inline = ["fit", "--config", "{model: {width: 8}}", "--config"]
    assert with_paths(inline) == inline


def help_of(capsys: pytest.CaptureFixture, *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main(list(words), program="p2p")
    assert ended.value.code == 0
    return capsys.readouterr().out  # type: ignore[no-any-return]


def test_help_is_short_and_begins_with_our_words(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    text = help_of(capsys, "fit", "--help")
    assert text.startswith("usage: p2p fit [options] --data.dataset DATASET\n\nTrain a labeller on")
    assert len(text.splitlines()) < 175
    for words in ("optimization routine", "Customize every aspect", "learning_rate LEARNING_RATE\n of AdamW"):
        assert words not in text
    for option in ("--data.dataset", "--model.learning_rate", "--trainer.max_epochs", "--ckpt_path", "--help=all"):
        assert option in text
    assert not re.search(r"lambda|names\+|\d\.\d{5,}|<class|<function", text)
    every = help_of(capsys, "fit", "--help=all")
    for option in ("--trainer.gradient_clip_val", "--optimizer", "--checkpoint.save_top_k"):
        assert option in every and option not in text


def test_parameters_are_called_as_options(capsys: pytest.CaptureFixture, tmp_path: Path) -> None:
    assert cli.main(["fit", "--data.dataset", "http://localhost:9/data"]) == 2
    assert "--data.dataset is a URL: name a folder for what is fetched and prepared with --data.cache" in (
        capsys.readouterr().err
    )
    assert cli.main(["test"]) == 2
    assert "required: --data.dataset" in capsys.readouterr().err


def test_the_segmenter_finds_them_too(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        pixels.run(["fit", "--config", "pixels", "--data.dataset", "none", "--print_config"])
    assert "out/training/pixels" in capsys.readouterr().out
