"""The base of the command lines that train: Lightning's, one line an error, logs, whole checkpoints."""

from __future__ import annotations

import logging
import os
import re
import sys
import warnings
from argparse import SUPPRESS, HelpFormatter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, Self

from lightning import Trainer
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, ProgressBar, RichProgressBar
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from capture import InputError
from capture.errors import with_option_names
from capture.files import explain_os_error
from capture.runtime.import_path import safe_imports
from training.callbacks.last_checkpoint import LastCheckpoint
from training.callbacks.progress import PlainProgress, prepared_line
from training.callbacks.resume_point import ResumePoint, Stopped
from training.checkpoints.writing import AtomicCheckpointIO
from training.config_files import with_paths
from training.early_checks import ROOT
from training.help_text import COMMANDS, OUR_GROUPS, WORDS, HelpText, program_of
from training.loggers import loggers_of
from training.memory import keep_freed_memory
from training.trainer_options import SavedConfig, as_list, follow, keeps_checkpoints, one_line
from training.yaml_options import YamlParser

log = logging.getLogger(__name__)

_SILENT = (  # advice of the libraries that the user can do nothing about
    r"The `srun` command is available on your system",  # a machine of a cluster: one process is as good there
    r".*does not have many workers.*",
    r".*`IterableDataset` has `__len__` defined.*",
    r".*smaller than the logging interval.*",
    r".*Checkpoint directory .* exists and is not empty.*",
    r".*Experiment logs directory .* exists.*",
    r".*`isinstance\(treespec, LeafSpec\)` is deprecated.*",
    r".*available but not used.*",
    r".*your dataloader is not resumable.*",  # it is: see `training.data.samplers`
    r".*recommended to use `self.log\(.*sync_dist=True\)`.*",  # torchmetrics did
    r"LightningCLI's args parameter is intended.*",
)


class Parser(YamlParser, LightningArgumentParser):
    """Ends with one line where the arguments are wrong; its help shows the options that most runs need, or all."""

    FULL = False  # whether help shows all

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, formatter_class=HelpText, **options)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Print the message as one line."""
        line = " ".join(str(message).split())
        raise InputError(re.sub(rf"\b({'|'.join(COMMANDS)})\.(?=\w)", "--", line))

    def format_help(self, formatter: HelpFormatter | None = None) -> str:
        """The help; what the short one leaves out is said at its end."""
        for action in self._actions:
            action.help = WORDS.get(action.dest, action.help)
        if self.FULL or not any(action.dest == "ckpt_path" for action in self._actions):
            return super().format_help(formatter)  # that of the program itself is short
        texts = {action: action.help for action in self._actions}
        for action in texts:
            if action.dest not in WORDS and action.dest.split(".")[0] not in OUR_GROUPS:
                action.help = SUPPRESS
        self.epilog = (
            f"`{program_of(self.prog)} --help=all` shows all options, those of Lightning's Trainer and of the "
            "optimizer among them; --print_config writes them as a YAML file."
        )
        try:
            return super().format_help(formatter)
        finally:
            for action, text in texts.items():
                action.help = text


class FullParser(Parser):
    """The same, its help with all options."""

    FULL = True


class ShardCLI(LightningCLI):
    """A command line that trains on a data set of shards (`BaseDataModule`)."""

    ROOT = ROOT
    MONITOR = "val/miou"  # what the best checkpoint is best in, by its name in logs
    MONITOR_TEXT = "val mIoU"

    def read(self, path: Path) -> dict[str, Any]:
        """A checkpoint of this kind of model. Raises `InputError` where it is none."""
        raise NotImplementedError

    def take_over(self, checkpoint: dict[str, Any]) -> None:
        """Prepare data as the checkpoint's were: it carries how, so that no configuration is needed."""
        raise NotImplementedError

    def more_callbacks(self, root: Path) -> list[Callback]:
        """Callbacks of this kind of model beside those of all."""
        return []

    def __init__(self, *args: Any, **options: Any) -> None:
        try:
            super().__init__(*args, **options)
        except InputError as error:
            raise type(error)(with_option_names(str(error), self._names())) from error

    def _names(self) -> dict[str, str]:
        """Parameter -> its option; the last part of a dotted name will do where one option has it."""
        parsers = getattr(self, "_subcommand_parsers", {}).values()
        full = {action.dest for parser in parsers for action in parser._actions if action.option_strings}
        ours = [name for name in full if name.split(".")[0] in OUR_GROUPS]
        last = [name.rpartition(".")[2] for name in ours]
        short = {each: f"--{name}" for name, each in zip(ours, last, strict=True) if last.count(each) == 1}
        return short | {name: f"--{name}" for name in full}

    def setup_parser(
        self, add_subcommands: bool, main_kwargs: dict[str, Any], subparser_kwargs: dict[str, Any]
    ) -> None:
        """As Lightning's, with what the commands do in our words."""
        texts = {name: {"description": COMMANDS[name]} for name in self.subcommands()}
        super().setup_parser(add_subcommands, main_kwargs, texts)
        listing = self.parser._subcommands_action
        for listed in () if listing is None else listing._choices_actions:
            listed.help = COMMANDS[listed.dest]
        for name, parser in self._subcommand_parsers.items():
            for group in parser._action_groups:
                if any(action.dest == "ckpt_path" for action in group._group_actions):
                    group.title = f"checkpoint of {name}"
                elif any(action.dest == "trainer" for action in group._group_actions):
                    group.title = "Lightning's Trainer"

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the checkpoint options; the folder follows from the root folder."""
        parser.add_lightning_class_args(ModelCheckpoint, "checkpoint")
        parser.set_defaults(
            {
                "checkpoint.filename": "best",
                "checkpoint.monitor": self.MONITOR,
                "checkpoint.mode": "max",
                "checkpoint.enable_version_counter": False,
            }
        )
        parser.add_argument(
            "--resume_minutes", type=float, default=10.0, help="minutes between two checkpoints to resume from"
        )
        parser.link_arguments("trainer.default_root_dir", "checkpoint.dirpath", compute_fn=self._checkpoint_folder)

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse; without a checkpoint, the commands that need one take the best of the root folder."""
        super().parse_arguments(parser, args)
        command = self.config["subcommand"]
        options = self.config[command]
        options["weights_only"] = True  # no code from a checkpoint, whatever the trainer's default
        if command == "predict":
            options["return_predictions"] = False  # they are written one by one
        if options.get("ckpt_path") is None and command != "fit":
            options["ckpt_path"] = str(Path(self._checkpoint_folder(options.trainer.default_root_dir)) / "best.ckpt")
        if options.get("ckpt_path") is not None:
            checkpoint = self.read(Path(options["ckpt_path"]))
            if command == "fit" and "optimizer_states" not in checkpoint:
                raise InputError(
                    f"{options['ckpt_path']} was exported: nothing to resume training from is left in it; "
                    "name the run's own checkpoint"
                )

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Add the logs, below the root folder, checkpoints that are whole, and plain lines where no bar is shown."""
        config = self._get(self.config_init, "trainer")
        root = config.get("default_root_dir") or self.ROOT
        if config.get("logger") in (None, True):
            resumed = self.subcommand == "fit" and self._get(self.config, "ckpt_path") is not None
            kwargs["logger"] = loggers_of(str(self.subcommand), root, resumed) or False
        if config.get("plugins") is None:
            kwargs["plugins"] = [AtomicCheckpointIO()]
        config["use_distributed_sampler"] = False  # the order of heads is ours
        callbacks = [*as_list(config.get("callbacks")), *self.more_callbacks(Path(root))]
        if config.get("barebones"):
            callbacks = as_list(config.get("callbacks"))
        elif not config.get("enable_progress_bar"):
            callbacks.append(PlainProgress())
        elif not any(isinstance(callback, ProgressBar) for callback in callbacks):
            callbacks.append(RichProgressBar())
        if self.subcommand == "fit" and keeps_checkpoints(config):
            minutes = self._get(self.config_init, "resume_minutes")
            folder = Path(self._checkpoint_folder(root))
            callbacks += [LastCheckpoint(folder / "last.ckpt"), ResumePoint(folder / "resume.ckpt", minutes)]
        config["callbacks"] = callbacks
        return super().instantiate_trainer(**kwargs)

    def _dump_config(self) -> None:
        """As Lightning's, for hyperparameters; some of its own callbacks have defaults that no YAML holds."""
        try:
            super()._dump_config()
        except ValueError:
            self.config_dump = {}

    def _instantiate_trainer(self, config: dict[str, Any], callbacks: list[Callback]) -> Trainer:
        """As Lightning's, which adds our checkpoints where it is told to write none."""
        chosen = follow(config, callbacks)
        if config.get("barebones"):
            self.save_config_callback = None
        with one_line():
            return super()._instantiate_trainer(config, chosen)

    def before_fit(self) -> None:
        """Prepare heads before other processes are started: what is wrong is said once, and nobody waits."""
        self.datamodule.progress = prepared_line
        if "LOCAL_RANK" not in os.environ:
            self.datamodule.prepare(self.subcommand)
            if self.subcommand == "fit":
                self.datamodule.check_processes(self.trainer.world_size)
        if self.subcommand == "fit" and not self.datamodule.validates():
            log.warning("the data set has no val and no test heads: nothing is validated, the last checkpoint counts")
            self.trainer.limit_val_batches = 0

    def before_test(self) -> None:
        """Prepare heads as the checkpoint's were."""
        self.take_over(self.read(Path(self.config[self.subcommand]["ckpt_path"])))
        self.before_fit()

    before_validate = before_predict = before_test

    def after_fit(self) -> None:
        """Say where the checkpoints are."""
        callback, last = self.trainer.checkpoint_callback, self._checkpoint("last")
        if callback is None:  # an older run's may lie there
            return
        if isinstance(callback, ModelCheckpoint) and callback.best_model_path:
            what = self.MONITOR_TEXT if callback.monitor == self.MONITOR else callback.monitor
            score = "" if callback.best_model_score is None else f" ({what} {callback.best_model_score:.4f})"
            log.info("best checkpoint: %s%s", callback.best_model_path, score)
        elif last.is_file():
            cure = f"name another as `ckpt_path`, such as {last}"
            log.warning("no checkpoint was chosen as the best (%s): %s", self._checkpoint("best"), cure)
        if last.is_file():
            log.info("last checkpoint: %s", last)

    def _checkpoint(self, name: str) -> Path:
        return Path(self._checkpoint_folder(self.trainer.default_root_dir)) / f"{name}.ckpt"

    @classmethod
    def _checkpoint_folder(cls, root: str | None) -> str:
        return str(Path(root or cls.ROOT) / "checkpoints")

    @classmethod
    def run(cls, words: Sequence[str] | None, program: str, description: str, *classes: type) -> Self:
        """Parse and run a command line, of this process where `words` is None. Raises `InputError`."""
        set_up_process()
        given = with_paths(sys.argv[1:] if words is None else words)
        full = "--help=all" in given
        given = ["--help" if word == "--help=all" else word for word in given]
        options = cls.options(program, description)
        return cls(*classes, args=given, **options, parser_class=FullParser if full else Parser)

    @classmethod
    def options(cls, program: str, description: str) -> dict[str, Any]:
        """Arguments of the constructor beside the classes, the parser and the command line's words."""
        return {
            "seed_everything_default": 0,
            "save_config_callback": SavedConfig,
            "save_config_kwargs": {"overwrite": True},
            "parser_kwargs": {"prog": program, "description": description},
            "trainer_defaults": {
                "default_root_dir": cls.ROOT,
                "enable_progress_bar": sys.stderr.isatty(),
                "max_epochs": 60,
                "enable_model_summary": False,
                "num_sanity_val_steps": 0,  # preparing has read every head
                "log_every_n_steps": 1,
            },
        }


def set_up_process() -> None:
    """Quiet libraries, and memory that is kept; once, before the first large array."""
    quiet_libraries()
    keep_freed_memory()


def quiet_libraries() -> None:
    """Keep advice about accelerators, workers and products out of the user's way."""
    for name in ("pytorch.utilities.rank_zero", "fabric.utilities.seed", "fabric.utilities.distributed", "pytorch"):
        logging.getLogger(f"lightning.{name}").setLevel(logging.WARNING)
    for message in _SILENT:
        warnings.filterwarnings("ignore", message)
    # Lightning uses old names of jsonargparse and of torch; both still do what they did.
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"(lightning|jsonargparse)\b")
    warnings.filterwarnings("ignore", r"(?s).*JSONARGPARSE_DEPRECATION_WARNINGS", DeprecationWarning)


def exit_code_of(work: Callable[[], object], *, verbose: bool = False) -> int:
    """The exit code: 0, 2 with one line where the user can mend what is wrong, 130 where the run was stopped."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    first = os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) == "0"
    level = logging.DEBUG if verbose else logging.INFO
    logging.getLogger("training").setLevel(level if first else logging.WARNING)  # one of many processes speaks
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        with safe_imports(), one_line():  # loaders of data and processes of other GPUs are started by libraries
            work()
    except InputError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except OSError as error:  # Lightning's own writing
        mendable = explain_os_error(error, Path(error.filename or "the output"))
        if not isinstance(mendable, InputError):
            raise
        sys.stderr.write(f"error: {mendable}\n")
        return 2
    except Stopped as stopped:
        log.info("stopped; run the same command with --ckpt_path %s to resume", stopped.path)
        return 130
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        return 130
    return 0
