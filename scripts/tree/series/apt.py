# SPDX-License-Identifier: GPL-2.0-only
"""
Packages of a named Debian suite, by a private apt.

The system's apt may know other suites only, and asking it needs root.  So apt
runs with directories of its own, a sources list of one line and the options
of the system (proxies, validity checks, credentials), and never reads the
system's hooks, which assume root.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from . import conf

_KEEP = re.compile(r"(Acquire|APT::Architectures?|APT::Authentication|Dir::Etc::trusted"
                   r"|Dir::Etc::netrc)\b")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def _output(args, env=None):
    try:
        return subprocess.run(args, capture_output=True, text=True, check=True,
                              env=env).stdout
    except FileNotFoundError:
        raise conf.Error(f"{args[0]} is missing: this needs a Debian system") from None
    except subprocess.CalledProcessError as e:
        lines = [x for x in e.stderr.splitlines() if x.startswith(("E:", "W:"))]
        raise conf.Error(f"{args[0]} failed: {'; '.join(lines) or e.returncode}") from None


def mirrors():
    """Debian mirrors that the system's apt uses, best first."""
    own = os.environ.get("DEBIAN_MIRROR")
    if own:
        return [own.rstrip("/")]
    found = {}
    text = _output(["apt-get", "indextargets", "--no-release-info", "--format",
                    "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages"])
    for line in text.splitlines():
        site, release, component = (line.split() + ["", ""])[:3]
        if component != "main" or not re.match(r"(https?|file|copy|ftp|tor\+https?):", site):
            continue
        # A mirror of security updates alone has none of our suites.
        plain = "security" not in release and "security" not in site
        if plain:
            score = 2 if "-" not in release else 1
            found[site] = max(found.get(site, 0), score)
    sites = sorted(found, key=lambda s: -found[s])
    debian = [s for s in sites if re.search(r"/debian/?$", s)]
    sites = debian + [s for s in sites if s not in debian]
    if not sites:
        raise conf.Error("apt's configuration names no Debian mirror: set DEBIAN_MIRROR=URI")
    return [s.rstrip("/") for s in sites]


def system_options():
    """The lines of `apt-config dump` that fetching depends on."""
    return [line for line in _output(["apt-config", "dump"]).splitlines()
            if _KEEP.match(line) and "::IndexTargets" not in line]


class Private:
    """An apt of our own for one mirror and one suite."""

    def __init__(self, mirror, suite):
        self.mirror, self.suite = mirror, suite
        key = re.sub(r"[^A-Za-z0-9.]+", "_", f"{mirror}_{suite}")
        self.dir = conf.cache() / "apt" / key
        self.env = dict(os.environ, LC_ALL="C", APT_CONFIG=str(self.dir / "apt.conf"))
        self._write()

    def _write(self):
        d = self.dir
        for sub in ("lists/partial", "cache/archives/partial", "state", "empty"):
            (d / sub).mkdir(parents=True, exist_ok=True)
        (d / "status").touch()
        options = system_options() + [
            f'Dir::State "{d}/state";', f'Dir::State::lists "{d}/lists";',
            f'Dir::State::status "{d}/status";', f'Dir::Cache "{d}/cache";',
            f'Dir::Etc::sourcelist "{d}/sources.list";',
            f'Dir::Etc::sourceparts "{d}/empty";',
            f'Dir::Etc::parts "{d}/empty";', 'Dir::Etc::main "/dev/null";',
            'Dir::Etc::preferences "/dev/null";',
            f'Dir::Etc::preferencesparts "{d}/empty";',
            'Acquire::Languages "none";', 'Acquire::Retries "3";',
            # Whatever it is told, it must not touch the host's packages.
            'Dir::Bin::dpkg "/bin/false";',
        ]
        if os.geteuid() == 0:
            # The download user of apt may not enter the cache of root.
            options.append('APT::Sandbox::User "root";')
        signed = f" [signed-by={_KEYRING}]" if _KEYRING.exists() else ""
        conf.write_atomic(d / "apt.conf", "\n".join(options) + "\n")
        conf.write_atomic(d / "sources.list",
                          f"deb{signed} {self.mirror} {self.suite} main\n")

    def update(self):
        """Refresh the lists; a line with the reason when that fails."""
        p = subprocess.run(["apt-get", "update", "-q"], env=self.env, text=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        reasons = [line for line in p.stderr.splitlines() if line.startswith(("E:", "W:"))]
        if p.returncode or any(line.startswith("W: Failed") for line in reasons):
            return "; ".join(reasons[:2]) or f"apt-get update: status {p.returncode}"
        return None

    def candidate(self, package):
        """(uri, file name, size, hash) of the newest version, or None."""
        p = subprocess.run(["apt-get", "download", "--print-uris", "-q", package],
                           env=self.env, text=True, capture_output=True)
        m = re.match(r"'([^']+)' (\S+) (\d+) (\S+)", p.stdout)
        return (m[1], m[2], int(m[3]), m[4]) if p.returncode == 0 and m else None

    def fetch(self, candidate, folder):
        """Download into `folder` unless it is there; returns the path."""
        uri, name, size, digest = candidate
        target = folder / name.replace("%3a", ":")
        if target.exists() and target.stat().st_size == size:
            return target
        folder.mkdir(parents=True, exist_ok=True)
        conf.need_space(folder, (size >> 20) + 16, f"the download of {name}")
        part = folder / f".{name}.part"
        progress = conf.Progress(f"fetch {name}")
        helper = shutil.which("apt-helper") or "/usr/lib/apt/apt-helper"
        with subprocess.Popen([helper, "download-file", uri, str(part), digest],
                              env=self.env, text=True, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE) as p:
            while True:
                try:
                    err = p.communicate(timeout=1)[1]
                    break
                except subprocess.TimeoutExpired:
                    have = part.stat().st_size if part.exists() else 0
                    progress.tick(f"{have >> 20} of {size >> 20} MiB")
        if p.returncode:
            lines = [x for x in err.splitlines() if x.startswith("E:")]
            raise conf.Error(f"download of {name} failed: {'; '.join(lines[:2]) or 'apt-helper'}"
                             " (the next call tries again)")
        os.replace(part, target)
        progress.done(f"{size >> 20} MiB from {self.suite}")
        return target


def fetch_first(package, suites, folder):
    """The package from the first suite of the first mirror that offers it."""
    tried = []
    for mirror in mirrors():
        for suite in suites:
            apt = Private(mirror, suite)
            conf.say(f"apt: looking for {package} in {suite}")
            problem = apt.update()
            found = apt.candidate(package)
            if found:
                return apt.fetch(found, folder), suite
            tried.append(f"{suite}: {problem or 'does not have it'}")
    raise conf.Error(f"{package} not found; tried " + " | ".join(tried))
