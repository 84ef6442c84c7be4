"""Groups of heads by attributes: hair, beard, headwear, eyewear, skin tone and expression."""

from __future__ import annotations

from collections.abc import Mapping

Attributes = Mapping[str, str | float]

# Grouping -> the attribute whose words are the groups.
_BY_WORD = {"hair": "hair", "beard": "beard", "headwear": "headwear", "eyewear": "eyewear"}
# Grouping -> the attribute, and each group with the least number in it.
_BY_NUMBER: dict[str, tuple[str, tuple[tuple[float, str], ...]]] = {
    "skin tone": ("skin_melanin", ((0.0, "light"), (1 / 3, "medium"), (2 / 3, "dark"))),
    "expression": ("expression", ((0.0, "weak"), (0.35, "medium"), (0.7, "strong"))),
}


def groups_of(attributes: Attributes) -> dict[str, str]:
    """Grouping -> the group of a head with these attributes; a grouping without its attribute is left out."""
    groups = {name: str(attributes[key]).rpartition("/")[2] for name, key in _BY_WORD.items() if key in attributes}
    for name, (key, steps) in _BY_NUMBER.items():
        value = attributes.get(key)
        if isinstance(value, int | float):
            groups[name] = next(word for low, word in reversed(steps) if value >= low or low == steps[0][0])
    return groups


def by_group(heads: Mapping[str, Attributes]) -> dict[str, dict[str, list[str]]]:
    """Grouping -> group -> ids of its heads, from head id -> attributes; groups in the order of their size."""
    table: dict[str, dict[str, list[str]]] = {}
    for name, attributes in heads.items():
        for grouping, group in groups_of(attributes).items():
            table.setdefault(grouping, {}).setdefault(group, []).append(name)
    return {
        grouping: dict(sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])))
        for grouping, groups in table.items()
    }
