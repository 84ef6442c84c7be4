"""The asset library: folders of skins, hair, clothes, brows, lashes, eyes and panoramas, each with a manifest.

`manifest` is one asset, with the table `KINDS` of kinds of assets: a new kind is a row there and the slot of a
component (`generator.component.AssetSlot`). `catalogue` has the usable assets of several libraries;
`import_makehuman` and `import_hdri` make a library out of other people's folders, by `install`; `mhclo` and `fit` put
MakeHuman's proxies on a head.
"""

from assets.library.catalogue import Library, open_library
from assets.library.manifest import KINDS, Asset, read_asset

__all__ = ["KINDS", "Asset", "Library", "open_library", "read_asset"]
