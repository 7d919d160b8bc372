"""What the programs here have in common: the service and what it is compared with, started and asked."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
SERVICE = TARGET / "release/cortex-reportd"
CARGO = ["cargo", "build", "--release", "--quiet"]
APPS = 10


@dataclass
class Target:
    """What is measured: how it is started, and the program whose size counts."""

    name: str
    command: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    binary: Path | None = None
    log: str = os.devnull


@dataclass
class Question:
    """A request that is sent again and again, and wrk's script for it."""

    name: str
    path: str
    header: str | None = None
    script: str = "latency.lua"
    variables: dict[str, str] = field(default_factory=dict)


def service(name: str = "cortex-report", log: str | None = None, **settings: str) -> Target:
    """The service with these settings; without the name of a log it only warns."""
    settings = {"LISTEN": "{ADDRESS}", **settings}
    if log is None:
        settings["LOG_LEVEL"] = "warn"
    variables = {f"CORTEX_REPORT_{setting}": value for setting, value in settings.items()}
    return Target(name, [str(SERVICE)], variables, SERVICE, log or os.devnull)


def output(*command: str, **options) -> str:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options)
    return done.stdout.strip()


def need(program: str, package: str) -> None:
    """Installs a Debian package unless its program is there."""
    if shutil.which(program) is None:
        output("apt-get", "update")
        output("apt-get", "install", "--yes", package)


def build_service() -> None:
    """Without events, whose engine takes far longer to build than all that is measured here."""
    package = ["--package", "cortex-report-server", "--no-default-features"]
    subprocess.run([*CARGO, *package], cwd=ROOT, check=True)


def build_others() -> None:
    """Builds what the service is compared with."""
    manifest = ["--manifest-path", str(HERE / "Cargo.toml"), "--target-dir", str(TARGET / "bench")]
    subprocess.run([*CARGO, *manifest], check=True)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ask(url: str, body: dict | None = None, key: str | None = None, form: bool = False) -> str:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    data = None
    if body is not None:
        data = "&".join(f"{name}={value}" for name, value in body.items()).encode()
        if not form:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=60) as reply:
        return reply.read().decode()


class Started:
    """A target while it runs, and how long it took to answer."""

    def __init__(self, target: Target, folder: Path):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        place = {"PORT": str(self.port), "ADDRESS": f"127.0.0.1:{self.port}"}
        fill = lambda text: text.format(**place)
        variables = {name: fill(value) for name, value in target.variables.items()}
        begin = time.monotonic()
        with open(folder / target.log, "ab") as log:
            self.process = subprocess.Popen(
                [fill(part) for part in target.command],
                cwd=folder,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        while True:
            try:
                ask(f"{self.url}/livez")
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() - begin > 20:
                    sys.exit(f"{target.name} does not start: {target.command}")
                time.sleep(0.002)
        self.start_time = time.monotonic() - begin

    def __enter__(self) -> "Started":
        return self

    def __exit__(self, *_) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)

    def memory(self) -> float:
        """What it and its children hold, in MiB."""
        processes = output("ps", "-o", "rss=", "-g", str(self.process.pid)).split()
        return sum(map(int, processes)) / 1024


def prepare(target: Target, folder: Path) -> tuple[str, int]:
    """Logs in, and makes applications; answers the key and the organization."""
    with Started(target, folder) as started:
        login = json.loads(ask(f"{started.url}/api/1/login", {"email": "ann@example.com"}))
        mails: list[Path] = []
        while not mails:
            mails = list((folder / "mail").glob("*.eml"))
            time.sleep(0.01)
        link = re.search(r"/verify/[\w-]+", mails[0].read_text())
        assert link, "the mail has a link"
        ask(started.url + link[0], {"manual_code": login["manual_code"]}, form=True)
        key = login["session_key"]
        user = json.loads(ask(f"{started.url}/api/1/user", key=key))
        org_id = user["org_list"][0]["org_id"]
        for number in range(APPS):
            app = {"org_id": org_id, "app_name": f"Game {number}"}
            ask(f"{started.url}/api/1/app", app, key)
        return key, org_id


def load(url: str, question: Question, seconds: float, connections: int) -> dict:
    """What wrk measures."""
    script = HERE / question.script
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    command += ["-s", str(script)]
    if question.header:
        command += ["-H", question.header]
    said = output(*command, url + question.path, env={**os.environ, **question.variables})
    result = json.loads(re.findall(r"^RESULT (.*)$", said, re.M)[-1])
    if result["failed"]:
        sys.exit(f"{result['failed']} requests failed: {url}{question.path}\n{said}")
    return result


def say(progress: str) -> None:
    """Shows in a terminal how far it is."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{progress}", end="", file=sys.stderr)
