# SPDX-License-Identifier: GPL-2.0-only
"""
Debian packages with all that they depend on, unpacked and not installed.

A private apt resolves and downloads them; dpkg and maintainer scripts never
run, so no root is needed and the host's packages have no part in it.
"""

import subprocess

from . import apt, conf

_MERGED = ("bin", "sbin", "lib", "lib64")
_NEEDLESS = ("doc", "man", "locale", "info", "lintian", "bash-completion")


def at_least(version, wanted):
    upstream = version.split(":")[-1]
    return subprocess.run(["dpkg", "--compare-versions", upstream, "ge",
                           wanted]).returncode == 0


class Closure(apt.Private):
    """An apt that also sees the suite which a backports suite builds on."""

    def __init__(self, mirror, suite):
        super().__init__(mirror, suite)
        if suite.endswith("-backports"):
            path = self.dir / "sources.list"
            line = path.read_text()
            path.write_text(line + line.replace(
                f" {suite} ", f" {suite.removesuffix('-backports')} "))
        self.options = ["-q", "-o", f"APT::Default-Release={suite}",
                        "-o", "APT::Install-Recommends=0",
                        "-o", "Debug::NoLocking=1"]

    def version(self, package):
        out = subprocess.run(["apt-cache", *self.options, "policy", package],
                             env=self.env, text=True, capture_output=True)
        for line in out.stdout.splitlines():
            if line.strip().startswith("Candidate:"):
                found = line.split()[1]
                return None if found == "(none)" else found
        return None

    def download(self, versions):
        """Every package of the closure of {package: version} as a .deb.

        What an earlier call left of a download counts; what it left of other
        packages does not.
        """
        wanted = [f"{name}={version}" for name, version in versions.items()]
        command = ["apt-get", *self.options, "-y", "--download-only"]
        done = subprocess.run(
            [*command, "install", *wanted], env=self.env, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode:
            lines = [x for x in done.stderr.splitlines()
                     if x.startswith("E:")]
            raise conf.Error(f"download of {' '.join(versions)} failed: "
                             f"{'; '.join(lines[:2])} (the next call continues)")
        # Nothing is installed, so the whole closure is named, wherever it is.
        uris = subprocess.run(
            [*command, "-o", f"Dir::Cache::archives={self.dir}/empty",
             "--print-uris", "install", *wanted],
            env=self.env, text=True, capture_output=True).stdout
        names = [line.split()[1] for line in uris.splitlines()
                 if line.startswith("'")]
        return sorted(self.dir / "cache/archives" / name for name in names)


def unpack(debs, target):
    """Like a merged /usr: packages of either kind land in the same place."""
    for name in _MERGED:
        (target / "usr" / name).mkdir(parents=True)
        (target / name).symlink_to(f"usr/{name}")
    for deb in debs:
        # By way of tar, since dpkg-deb -x would replace the links by folders.
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb],
                              stdout=subprocess.PIPE) as tarball:
            done = subprocess.run(
                ["tar", "-x", "--keep-directory-symlink", "--no-same-owner",
                 *(f"--exclude=./usr/share/{d}" for d in _NEEDLESS),
                 "-C", target], stdin=tarball.stdout)
        if done.returncode or tarball.returncode:
            raise conf.Error(f"{deb}: cannot be unpacked into {target}")


def find(suites, wanted, tried):
    """(closure, suite, {package: version}) of the first suite that will do.

    wanted is {package: least version, or ""}. None if no suite has them all;
    the reasons are added to tried.
    """
    for mirror in apt.mirrors():
        for suite in suites:
            own = Closure(mirror, suite)
            problem = own.update()
            found = {name: own.version(name) for name in wanted}
            bad = [f"{name} {found[name] or 'missing'}"
                   for name, least in wanted.items() if not found[name]
                   or (least and not at_least(found[name], least))]
            if not bad:
                return own, suite, found
            tried.append(f"{suite}: {problem or ', '.join(bad)}")
    return None
