"""Two hosts, as far as one machine can be two: network namespaces with names of their own and a cable between them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_cluster import PLUGIN

from rkbench import store

pytestmark = pytest.mark.faults

SPLIT = ["unshare", "--map-root-user", "--net", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]

SCRIPT = """
set -e
hostname mill
unshare --net --uts sleep 300 &
there="nsenter --target $! --net --uts"
until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
$there hostname forge
ip link add near type veth peer name far
ip link set far netns $!
for command in "addr add 10.77.0.1/24 dev near" "link set near up" "link set lo up"; do ip $command; done
for command in "addr add 10.77.0.2/24 dev far" "link set far up" "link set lo up"; do $there ip $command; done
address=tcp://10.77.0.1:8786
worker="$1 -m distributed.cli.dask_worker $address --nthreads 1 --no-nanny --no-dashboard --host"
$1 -m distributed.cli.dask_scheduler --host 10.77.0.1 --port 8786 --no-dashboard > "$3/scheduler" 2>&1 &
$worker 10.77.0.1 > "$3/near" 2>&1 &
$there $worker 10.77.0.2 > "$3/far" 2>&1 &
cd "$2"
until grep -q "Scheduler at" "$3/scheduler"; do sleep 0.1; done
$1 -c "
from pathlib import Path
import test_cluster
here = Path('$3')
test_cluster.run(here, here / 'run', '$address', 'learns', jobs=2, method=['euler'], at_least=2)
"
"""
"""Takes the Python, the folder of the tests, and one for the run."""


def _can_split():
    return shutil.which("ip") and subprocess.run([*SPLIT, "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not _can_split(), reason="needs Linux, ip, and user namespaces")
def test_hosts_that_share_nothing_but_a_cable_measure_the_cells_of_one_run(tmp_path, short_folder):
    (tmp_path / "deeds.py").write_text(PLUGIN)
    (tmp_path / "script").write_text(SCRIPT)
    place = Path(__file__).parent
    done = subprocess.run(
        [*SPLIT, "sh", str(tmp_path / "script"), sys.executable, str(place), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"RKBENCH_TEST_GATE": "", "TMPDIR": str(short_folder())},
    )
    assert done.returncode == 0, done.stderr
    ledger = store.read(tmp_path / "run")
    assert {record.status for record in ledger.records} == {"ok"}
    assert {record.host for record in ledger.records} == {"mill", "forge"}
    assert set(ledger.manifest["machine"]["host"].split(" and ")) == {"mill", "forge"}
