"""A streaming replica of a private cluster, made by `pg_basebackup -R` of the same PostgreSQL."""

import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo

from lgp.embedded import Cluster, private_layout
from lgp.embedded.binaries import program_folder
from lgp.folders import kept_secret


@contextmanager
def replica_of(primary: Cluster) -> Generator[Cluster, None, None]:
    """A started replica, which streams; gone afterwards. `stop()` and `start()` it at will."""
    folder = Path(tempfile.mkdtemp(prefix="lgp-"))
    layout = private_layout(folder)
    for name in ("password", "superuser-password"):
        shutil.copy2(primary.layout.keep / name, layout.keep / name)
    _copy_data(primary, layout.home / "data")
    replica = Cluster(layout, durable=False)
    try:
        replica.start()
        yield replica
    finally:
        replica.stop()
        shutil.rmtree(folder)


def _copy_data(primary: Cluster, data: Path) -> None:
    account = primary.layout.account
    secret = kept_secret(primary.layout.keep / "superuser-password")
    url = make_conninfo("", host=str(primary.layout.socket), user="postgres", password=secret)
    subprocess.run(
        [
            str(program_folder(primary.layout.binaries) / "pg_basebackup"),
            *("-d", url, "-D", str(data), "-R", "--checkpoint=fast", "--wal-method=stream", "--no-sync"),
        ],
        check=True,
        cwd=data.parent,
        umask=0o077,
        **account.spawn_options(),
    )
