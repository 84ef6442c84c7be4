"""The help of command lines. Imports no torch."""

from __future__ import annotations

from argparse import Action, _SubParsersAction
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from typing import Any

from jsonargparse import DefaultHelpFormatter

from capture.errors import with_option_names

# The commands of `python -m training`, -> what they do.
COMMANDS = {
    "fit": "Train a labeller on the train split of a data set.",
    "validate": "Measure a labeller on the split that its training was watched with.",
    "test": "Measure a labeller on the test split of a data set.",
    "predict": "Write the predictions of a labeller for the test split of a data set.",
}

# Options of training beside our own that its short help shows -> what they do, in place of Lightning's words.
WORDS = {
    "help": "show this help and exit; --help=all shows all options",
    "config": "YAML file of options, or the name of a configuration that comes along, such as recommended; may be "
    "repeated, and later ones take precedence",
    "print_config": "print these options as a YAML file, and exit",
    "seed_everything": "seed of all random numbers",
    "resume_minutes": "minutes between two checkpoints to resume from",
    "ckpt_path": "checkpoint to resume from, by default none, with fit; to use, by default the best one of "
    "`trainer.default_root_dir`, with the others",
    "trainer.default_root_dir": "output folder of the run: checkpoints, logs, predictions",
    "trainer.max_epochs": "number of times that training goes through the data set",
    "trainer.max_time": "time after which training ends, DD:HH:MM:SS",
    "trainer.check_val_every_n_epoch": "epochs from one validation to the next",
    "trainer.accelerator": "what computes: cpu, gpu, ..., or auto",
    "trainer.devices": "how many of these, or auto",
    "trainer.strategy": "how several of these share the work, as in ddp",
    "trainer.precision": "numbers that are computed with: 32-true, bf16-mixed, ...",
    "trainer.accumulate_grad_batches": "heads whose gradients are added up before a step of the optimizer",
}

# The groups of options that are ours.
OUR_GROUPS = ("data", "model", "pictures")


def program_of(prog: str) -> str:
    """The words of a parser's command, without the options that may stand between them."""
    return prog.replace(" [options]", "")


class HelpText(DefaultHelpFormatter):
    """Help that says what an option does and its default, in short numbers; types show in the placeholders."""

    def _get_help_string(self, action: Action) -> str:
        if action.dest == "print_config":
            return WORDS["print_config"]
        text = with_option_names(_without_stop(action.help or ""), {name: f"--{name}" for name in WORDS})
        if text == "Path to a configuration file":
            text = "YAML file with these options"
        default = action.default
        if not action.option_strings or default is None or isinstance(default, bool | Mapping) or is_dataclass(default):
            return text
        words = f"{default:.4g}" if isinstance(default, float) else str(default)
        return text if words in ("", "==SUPPRESS==") else f"{text} (default: {words.replace('%', '%%')})"

    def _format_usage(self, usage: Any, actions: Iterable[Action], groups: Any, prefix: str | None) -> str:
        """Without the options, which stand below, but those that must be given."""
        needed = [action for action in actions if action.required or not action.option_strings]
        words = [program_of(self._prog), "[options]"]
        for action in needed:
            if isinstance(action, _SubParsersAction):
                words.append("COMMAND ...")
            elif action.option_strings:
                words.append(f"{action.option_strings[0]} {action.metavar or _last(action)}")
            else:
                words.append(self._format_args(action, str(action.metavar)))
        return f"{'usage: ' if prefix is None else prefix}{' '.join(words)}\n\n"

    def _format_action_invocation(self, action: Action) -> str:
        """Without the second name of options that may be repeated, which nobody needs to write."""
        kept = [name for name in action.option_strings if not name.endswith("+")]
        if len(kept) == len(action.option_strings):
            return super()._format_action_invocation(action)
        return f"{kept[0]} {self._format_args(action, _last(action))}"


def _without_stop(text: str) -> str:
    return text if text.endswith("...") else text.removesuffix(".")


def _last(action: Action) -> str:
    """The last part of an option's name, which stands for its value."""
    return action.dest.rpartition(".")[2].upper()
