"""Which heads belong together: by hair, beard, headwear, skin tone and expression."""

from __future__ import annotations

from collections.abc import Mapping

# Name -> what stands in a look, and where words come from numbers the lower ends of the words.
_BY_WORD = {"hair": "hair", "beard": "beard", "headwear": "headwear", "eyewear": "eyewear"}
_BY_NUMBER: dict[str, tuple[str, tuple[tuple[float, str], ...]]] = {
    "skin tone": ("skin_melanin", ((0.0, "light"), (1 / 3, "medium"), (2 / 3, "dark"))),
    "expression": ("expression", ((0.0, "weak"), (0.35, "medium"), (0.7, "strong"))),
}


def groups_of(look: Mapping[str, str | float]) -> dict[str, str]:
    """Subject of a grouping -> the group that a head of this look is in; what the look doesn't say is left out."""
    found = {name: str(look[key]).rpartition("/")[2] for name, key in _BY_WORD.items() if key in look}
    for name, (key, steps) in _BY_NUMBER.items():
        value = look.get(key)
        if isinstance(value, int | float):
            found[name] = next(word for low, word in reversed(steps) if value >= low or low == steps[0][0])
    return found


def by_group(looks: Mapping[str, Mapping[str, str | float]]) -> dict[str, dict[str, list[str]]]:
    """Grouping -> group -> ids of its heads, from head id -> look; groups in the order of their size."""
    table: dict[str, dict[str, list[str]]] = {}
    for name, look in looks.items():
        for grouping, group in groups_of(look).items():
            table.setdefault(grouping, {}).setdefault(group, []).append(name)
    return {
        grouping: dict(sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])))
        for grouping, groups in table.items()
    }
