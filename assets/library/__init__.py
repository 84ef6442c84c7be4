"""The asset library: folders of skins, hair, clothes, brows, lashes, eyes and panoramas, each with a manifest.

`manifest` is one asset, `stack` several libraries on top of each other, `import_makehuman` and `import_hdri` make a
library out of other people's folders, `mhclo` and `fit` put MakeHuman's proxies on a head.
"""

from assets.library.manifest import KINDS, Asset, read_asset
from assets.library.stack import Library, open_library

__all__ = ["KINDS", "Asset", "Library", "open_library", "read_asset"]
