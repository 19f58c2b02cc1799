"""Let an asv environment borrow torch from where asv itself runs, instead of downloading it for every commit.

asv calls `setup` in its own interpreter (``plugins`` in ``asv.conf.json``); run as a script inside an asv
environment, the file links what `setup` remembered. A path file is read after the environment's own packages,
so the commit under test wins over an rkbench that is installed beside asv.
"""

import os
import sysconfig
from pathlib import Path

VARIABLE = "RKBENCH_ASV_PARENT_SITE"


def setup() -> None:
    """Remember the packages of the interpreter that runs asv."""
    os.environ[VARIABLE] = sysconfig.get_path("purelib")


def link() -> None:
    """Write the path file into the packages of the running interpreter."""
    path_file = Path(sysconfig.get_path("purelib")) / "zz_parent_site.pth"
    path_file.write_text(os.environ[VARIABLE] + "\n", encoding="utf-8")


if __name__ == "__main__":
    link()
