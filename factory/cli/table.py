"""Tables of subcommands whose modules are loaded when a command is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from factory.cli.parser import Command


class CommandTable(Mapping[str, Command]):
    """Name -> subcommand.

    Each stage of each head starts a program, and the settings of all commands take longer to load than those of one.

    Args:
        modules: module -> the names in its own `COMMANDS`, in the order in which they are listed.
    """

    def __init__(self, modules: Mapping[str, tuple[str, ...]]) -> None:
        self.modules = modules
        self._module_of = {name: module for module, names in modules.items() for name in names}

    def __getitem__(self, name: str) -> Command:
        command: Command = import_module(self._module_of[name]).COMMANDS[name]
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self._module_of)

    def __len__(self) -> int:
        return len(self._module_of)

    def __contains__(self, name: object) -> bool:
        return name in self._module_of  # Mapping's own would load it
