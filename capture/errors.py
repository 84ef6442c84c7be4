"""The errors that a user can mend."""

from __future__ import annotations

import re
from collections.abc import Mapping


class InputError(Exception):
    """Something that the user gave is missing, damaged or contradictory.

    The message is one line that names what and where, and how to mend it; parameters stand in backquotes,
    which command lines replace by their options (`with_option_names`). They print it and exit with code 2, without a
    traceback; library callers catch it like any exception.

    Example:
        >>> from pixels2points import Capture, InputError
        >>> try:
        ...     Capture.read("no_such_folder")
        ... except InputError as error:
        ...     error
        InputError('no such capture folder: no_such_folder')
    """


class RefusedError(InputError):
    """Nothing can be made of this capture, on any machine: of other captures it may. The exit code is 3.

    Where many heads are made, such a one is replaced; any other `InputError` is a mistake in the set-up, which would
    meet them all.
    """


_NAME = re.compile(r"`([a-z]\w*(?:\.\w+)*)`")


def with_option_names(message: str, names: Mapping[str, str]) -> str:
    """A message with the parameters in it called as elsewhere: `names` is name -> other name, as in unit -> --unit."""
    return _NAME.sub(lambda match: names.get(match[1], match[0]), message)
