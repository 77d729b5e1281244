"""JupyterHub for a class on one machine. README.md beside this file says how to start it.

Everything that differs between classes comes from the environment, so that this file can stay as it is:

COURSE_HUB_STATE      folder of the hub's database and the learners' homes (default: hub-state, here)
COURSE_HUB_LEARNERS   file with the names of those who may log in, one a line
COURSE_HUB_TEACHERS   names of the administrators, with commas between them
COURSE_HUB_URL        where the hub listens (default: http://127.0.0.1:8000)
COURSE_HUB_UIDS       first user id for learners, or "off" (default: 700000 where the hub is root)
COURSE_HUB_MEMORY     memory of one process of a learner (default: 3G)
COURSE_HUB_CORES      cores of a learner (default: 2)
COURSE_HUB_IDLE       seconds after which an idle kernel ends, and then the server (default: 3600)
COURSE_HUB_NBGRADER   "1" shows nbgrader's buttons (default: 0)
"""

import os
import shutil
import sys
from pathlib import Path

# JupyterHub runs this file with `get_config` and `__file__` in its names.
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from course_spawner import CourseSpawner, uid_for_learners  # noqa: E402

c = get_config()  # noqa: F821

state = Path(os.environ.get("COURSE_HUB_STATE", "hub-state")).resolve()
private, homes = state / "hub", state / "homes"
for folder, mode in ((state, 0o711), (private, 0o700), (homes, 0o711)):
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(mode)

# The hub. It listens on this machine only: what stands before it brings TLS.
c.JupyterHub.bind_url = os.environ.get("COURSE_HUB_URL", "http://127.0.0.1:8000")
c.JupyterHub.db_url = f"sqlite:///{private}/hub.sqlite"
c.JupyterHub.cookie_secret_file = str(private / "cookie-secret")
c.JupyterHub.cleanup_servers = True  # no process outlives the hub
c.ConfigurableHTTPProxy.pid_file = str(private / "proxy.pid")
local_proxy = HERE / "node_modules" / ".bin" / "configurable-http-proxy"
proxy = os.environ.get("COURSE_HUB_PROXY") or shutil.which("configurable-http-proxy") or str(local_proxy)
c.ConfigurableHTTPProxy.command = [proxy]

# Who may come in. The class of the authenticator is JupyterHub's own default: accounts of this machine.
listed = os.environ.get("COURSE_HUB_LEARNERS")
if listed:
    lines = (line.split("#")[0].strip() for line in Path(listed).read_text(encoding="utf-8").splitlines())
    c.Authenticator.allowed_users = {name for name in lines if name}
c.Authenticator.admin_users = set(filter(None, os.environ.get("COURSE_HUB_TEACHERS", "").split(",")))

# A learner's server: home, record and lessons of its own; the course itself is installed once.
c.JupyterHub.spawner_class = CourseSpawner
c.CourseSpawner.homes = str(homes)
c.CourseSpawner.first_uid = uid_for_learners(os.environ.get("COURSE_HUB_UIDS", ""))
c.Spawner.cmd = [sys.executable, str(HERE / "learner_server.py")]
c.Spawner.default_url = "/lab/tree/lessons"
c.Spawner.env_keep = ["LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "COURSEKIT_DATA"]
told = {"COURSE_HUB_IDLE": "3600", "COURSE_HUB_NBGRADER": "0"}
c.Spawner.environment = {name: os.environ.get(name, usual) for name, usual in told.items()}
c.Spawner.mem_limit = os.environ.get("COURSE_HUB_MEMORY", "3G")
c.Spawner.cpu_limit = float(os.environ.get("COURSE_HUB_CORES", "2"))
# A lecture hall presses "start" in the same minute: a few servers start, the others wait their turn.
c.JupyterHub.concurrent_spawn_limit = 10
c.Spawner.start_timeout = 300
c.Spawner.http_timeout = 300
