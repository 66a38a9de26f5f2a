# SPDX-License-Identifier: GPL-2.0-only
"""
The series on disk.

A patch file is a mail whose diff holds the edits of existing kernel files.
The files that it creates are named by its ` create mode` lines ("claims") and
live whole in the repository, at their kernel paths.  Every such file is
claimed by one patch and no other patch may touch it, so that the file in the
repository is what every composed tree from that patch on contains.
"""

import hashlib
import os
import re
import subprocess
from dataclasses import dataclass, field

from . import conf, git

_CREATE = re.compile(r" create mode (\d{6}) (.+)$")
_DIFF = re.compile(r"diff --git a/(.*) b/(.*)$")


@dataclass
class Patch:
    name: str
    raw: bytes
    subject: str = ""
    message: str = ""
    diff: bytes = b""
    claims: dict = field(default_factory=dict)
    edits: list = field(default_factory=list)


def normal_message(text):
    """A commit message as it survives being mailed."""
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    return "\n".join(lines).strip("\n") + "\n"


def split_mail(raw):
    """(subject, whole message, part below the message) of a patch file."""
    headers, body, rest = git.mailinfo(raw)
    subject = headers.get("Subject", "")
    body = body.strip("\n")
    message = normal_message(f"{subject}\n\n{body}" if body else subject)
    return subject, message, rest


def parse(name, raw):
    """Read one patch file; raises Error naming it."""
    try:
        subject, message, rest = split_mail(raw)
    except (conf.Error, UnicodeDecodeError) as e:
        raise conf.Error(f"{name}: not a mail with a patch: {e}") from None
    if not subject:
        raise conf.Error(f"{name}: has no Subject")
    patch = Patch(name, raw, subject, message)
    text = rest.decode(errors="surrogateescape")
    start = re.search(r"^diff --git ", text, re.M)
    head = text[:start.start()] if start else text
    diff = text[start.start():] if start else ""
    patch.diff = diff.encode(errors="surrogateescape")
    bad = []
    for line in head.split("\n"):
        m = _CREATE.match(line)
        if m and m[2] in patch.claims:
            bad.append(f"{name}: claims {m[2]} twice")
        elif m:
            patch.claims[m[2]] = m[1]
    current = None
    for line in diff.split("\n"):
        m = _DIFF.match(line)
        if m:
            current = m[2]
            patch.edits += sorted({m[1], m[2]})
        elif line.startswith(("new file mode", "copy to ")):
            bad.append(f"{name}: carries a hunk that creates {current}: a new file lives"
                       " whole in the repository, the patch only says ` create mode`")
        elif line.startswith(("GIT binary patch", "Binary files ")):
            bad.append(f"{name}: binary change of {current}")
    if not patch.claims and not patch.edits:
        bad.append(f"{name}: changes nothing")
    if bad:
        raise conf.Error(*bad)
    return patch


def series_names(repo=None):
    series = (repo or conf.REPO) / "patches" / "series"
    if not series.exists():
        return []
    lines = [line.split("#", 1)[0].strip() for line in series.read_text().splitlines()]
    return [line for line in lines if line]


def exported_on(repo=None):
    """The base commit that the series was exported from, or None."""
    series = (repo or conf.REPO) / "patches" / "series"
    m = re.search(r"^# base-commit: ([0-9a-f]{40})", series.read_text(), re.M) \
        if series.exists() else None
    return m[1] if m else None


def in_claim_roots(path):
    if any(path == x or (x.endswith("/") and path.startswith(x))
           for x in conf.words("CLAIM_EXCLUDE")):
        return False
    return path.split("/", 1)[0] in conf.words("CLAIM_ROOTS") and "/" in path


def new_files(repo=None):
    """Every kernel file that the repository holds whole: {path: mode}."""
    repo = repo or conf.REPO
    roots = [r for r in conf.words("CLAIM_ROOTS") if (repo / r).is_dir()]
    if not roots:
        return {}
    out = None
    if (repo / ".git").exists():
        p = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard", "--", *roots],
                           cwd=repo, env=git.environment(), capture_output=True)
        out = p.stdout.decode().split("\0") if p.returncode == 0 else None
    if out is None:
        out = [str(f.relative_to(repo)) for r in roots for f in (repo / r).rglob("*")
               if not f.is_dir()]
    files = {}
    for path in sorted(set(filter(None, out))):
        full = repo / path
        if not in_claim_roots(path) or not os.path.lexists(full):
            continue
        if full.is_symlink():
            files[path] = "120000"
        else:
            files[path] = "100755" if full.stat().st_mode & 0o100 else "100644"
    return files


def load(repo=None):
    """The whole series, checked against the files of the repository."""
    repo = repo or conf.REPO
    names = series_names(repo)
    bad = []
    patches = []
    for name in names:
        if names.count(name) > 1:
            bad.append(f"patches/series: lists {name} more than once")
            continue
        path = repo / "patches" / name
        if not path.is_file():
            bad.append(f"patches/series: lists {name}, which does not exist")
            continue
        try:
            patches.append(parse(f"patches/{name}", path.read_bytes()))
        except conf.Error as e:
            bad += e.lines
    for path in sorted((repo / "patches").rglob("*.patch")):
        name = str(path.relative_to(repo / "patches"))
        if name not in names:
            bad.append(f"patches/{name}: not listed in patches/series")
    bad += check_claims(patches, new_files(repo))
    if bad:
        raise conf.Error(*dict.fromkeys(bad))
    return patches


def check_claims(patches, files):
    """Lines for every file that is not claimed exactly once."""
    bad = []
    owner = {}
    for patch in patches:
        for path, mode in patch.claims.items():
            if path in owner:
                bad.append(f"{path}: claimed twice, by {owner[path]} and {patch.name}")
                continue
            owner[path] = patch.name
            if not in_claim_roots(path):
                bad.append(f"{patch.name}: claims {path}, which is outside"
                           f" {' '.join(conf.words('CLAIM_ROOTS'))}")
            elif path not in files:
                bad.append(f"{patch.name}: claims {path}, which does not exist")
            elif files[path] == "120000":
                bad.append(f"{path}: a symbolic link cannot join the tree")
            elif files[path] != mode:
                bad.append(f"{path}: has mode {files[path]}, {patch.name} says {mode}")
    for path in files:
        if path not in owner:
            bad.append(f"{path}: claimed by no patch of patches/series")
    for patch in patches:
        for path in dict.fromkeys(patch.edits):
            if path in owner:
                bad.append(f"{patch.name}: edits {path}, a new file that {owner[path]}"
                           " claims: it has to be whole in one patch")
    return bad


def digest(patches, repo=None):
    """One hash over everything that decides the composed tree but the base."""
    repo = repo or conf.REPO
    h = hashlib.sha256()
    for key in ("SERIES_NAME", "SERIES_EMAIL", "SERIES_EPOCH"):
        h.update(conf.get(key).encode() + b"\0")
    for patch in patches:
        h.update(patch_digest(patch, repo))
    return h.hexdigest()


def patch_digest(patch, repo):
    h = hashlib.sha256()
    for part in (patch.message.encode(), patch.diff):
        h.update(b"%d\0" % len(part) + part)
    for path, mode in sorted(patch.claims.items()):
        data = (repo / path).read_bytes()
        h.update(f"{mode} {path} {len(data)}\0".encode() + data)
    return h.digest()
