# SPDX-License-Identifier: GPL-2.0-only
"""
`make export-series`: commits of a kernel tree -> patches/ and whole files.

All of it is worked out before the first byte is written, so that a commit
that cannot be expressed leaves the repository as it was.
"""

import hashlib
import json
import re
import tempfile
from dataclasses import dataclass, field

from . import base as kernel_base
from . import conf, git, patches

_DIFF = ["--no-color", "--no-ext-diff", "--no-textconv", "--abbrev=12", "-U3",
         "--diff-algorithm=myers", "--src-prefix=a/", "--dst-prefix=b/", "-M"]


@dataclass
class Change:
    status: str
    old_mode: str
    new_mode: str
    old_blob: str
    blob: str
    old_path: str
    path: str


@dataclass
class Commit:
    oid: str
    subject: str
    message: str
    changes: list = field(default_factory=list)

    def __str__(self):
        return f"{self.oid[:12]} (\"{self.subject}\")"


def subsystem(subject):
    """The folder of a patch: drm/xe -> drm-xe, vfio/pci -> vfio, KVM -> kvm."""
    prefix = subject.split(":", 1)[0] if ":" in subject else ""
    first = re.split(r"[,\s]", prefix.strip().lower())[0]
    parts = [re.sub(r"[^a-z0-9_-]+", "-", p).strip("-") for p in first.split("/")]
    parts = [p for p in parts if p]
    if not parts:
        return "misc"
    if parts[0] == "drm" and len(parts) > 1:
        return f"drm-{parts[1]}"
    return {"documentation": "docs", "doc": "docs"}.get(parts[0], parts[0])


def slug(subject):
    """The file name of a patch, without number: what git format-patch uses."""
    text = re.sub(r"[^A-Za-z0-9._]+", "-", subject)
    text = re.sub(r"\.+", ".", text).strip("-.")
    return text[:60].strip("-.") or "patch"


def changes_of(repo, oid):
    raw = repo.run("diff-tree", "-r", "-z", "--no-commit-id", "--raw", "--no-abbrev", "-M",
                   oid).decode(errors="surrogateescape")
    fields = raw.split("\0")
    out = []
    i = 0
    while i < len(fields) and fields[i].startswith(":"):
        old_mode, new_mode, old, new, status = fields[i][1:].split(" ")
        two = status[0] in "RC"
        first, last = fields[i + 1], fields[i + 2] if two else fields[i + 1]
        out.append(Change(status[0], old_mode, new_mode, old, new, first, last))
        i += 3 if two else 2
    return out


def commits(repo, base, head):
    """The commits of base..head, oldest first; refuses what is no series."""
    bad = []
    found = []
    for line in repo.text("rev-list", "--reverse", "--topo-order", "--parents",
                          f"{base}..{head}").splitlines():
        oid, *parents = line.split()
        message = repo.text("log", "-1", "--format=%B", oid)
        subject = message.split("\n", 1)[0].strip()
        commit = Commit(oid, subject, patches.normal_message(message))
        expected = found[-1].oid if found else base
        if parents != [expected]:
            bad.append(f"commit {commit} is a merge or off the line {base[:12]}..: "
                       "a series is a straight line")
            break
        commit.changes = changes_of(repo, oid)
        found.append(commit)
    if bad:
        raise conf.Error(*bad)
    return found


def check(repo, found):
    """Refuse what patches and whole files cannot express."""
    bad = []
    created = {}
    for commit in found:
        if not commit.changes:
            bad.append(f"commit {commit} changes nothing")
        for c in commit.changes:
            if c.path in created:
                bad.append(f"commit {commit} edits {c.path}, a new file of commit"
                           f" {created[c.path]}: a new file has to be whole in one patch")
            elif c.old_path in created:
                bad.append(f"commit {commit} renames {c.old_path}, a new file of commit"
                           f" {created[c.old_path]}")
            elif {c.old_mode, c.new_mode} - {"000000", "100644", "100755"}:
                bad.append(f"commit {commit}: {c.path} is no plain file")
            elif c.status == "A":
                created[c.path] = commit
                if not patches.in_claim_roots(c.path):
                    bad.append(f"commit {commit} creates {c.path}, which is outside"
                               f" {' '.join(conf.words('CLAIM_ROOTS'))} (CLAIM_ROOTS)")
                if not re.fullmatch(r"[\x21-\x7e]+", c.path) or set('"\\') & set(c.path):
                    bad.append(f"commit {commit} creates {c.path!r}: not a usable file name")
        stat = repo.text("diff-tree", "--no-commit-id", "-r", "--numstat", "-M",
                         "--diff-filter=MTDR", commit.oid)
        for line in stat.splitlines():
            if line.startswith("-\t-\t"):
                bad.append(f"commit {commit} changes the binary file {line[4:]}")
    if bad:
        raise conf.Error(*dict.fromkeys(bad))
    return created


def render(repo, commit):
    """The patch file of one commit."""
    subject, _, body = commit.message.partition("\n")
    out = [f"From: {conf.get('SERIES_NAME')} <{conf.get('SERIES_EMAIL')}>\n",
           f"Subject: [PATCH] {subject.strip()}\n"]
    if not commit.message.isascii():
        out.append("MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n"
                   "Content-Transfer-Encoding: 8bit\n")
    out.append("\n")
    body = body.strip("\n")
    if body:
        out.append(body + "\n")
    stat = repo.run("diff-tree", "--no-commit-id", "-r", "--stat=78", "--summary", *_DIFF[:4],
                    "-M", commit.oid)
    diff = repo.run("diff-tree", "--no-commit-id", "-r", "-p", "--diff-filter=MTDR", *_DIFF,
                    commit.oid)
    raw = "".join(out).encode() + b"---\n" + stat
    if diff:
        raw += b"\n" + diff
    return raw


def verify(name, raw, commit):
    """A message that mail would bend (`---`, in-body headers) is refused."""
    patch = patches.parse(name, raw)
    if patch.message != commit.message:
        a, b = commit.message.splitlines(), patch.message.splitlines()
        line = next((x for x, y in zip(a, b) if x != y), (a[len(b):] or [""])[0])
        raise conf.Error(f"commit {commit}: the message would not survive a mail,"
                         f" from this line on: {line!r}")
    claims = {c.path: c.new_mode for c in commit.changes if c.status == "A"}
    if patch.claims != claims:
        odd = sorted(set(patch.claims) ^ set(claims)) or sorted(claims)
        raise conf.Error(f"commit {commit}: {odd[0]} is not described by the patch")


def forgotten(repo):
    """
    Files that belong to no commit and are no build product.  Debian's source
    package ends its .gitignore with `/*`, so git status hides new files.
    """
    tops = [t for t in repo.text("ls-tree", "--name-only", "HEAD").splitlines()
            if not t.startswith(".")]
    rules = (repo.top / ".gitignore").read_text().splitlines() \
        if (repo.top / ".gitignore").exists() else []
    with tempfile.NamedTemporaryFile("w", suffix=".gitignore") as f:
        f.write("".join(f"{line}\n" for line in rules if line != "/*"))
        f.flush()
        others = repo.run("ls-files", "-o", "-z", f"--exclude-from={f.name}", "--", *tops)
    if not others:
        return []
    # What a folder's own .gitignore names is a build product after all.
    out = repo.run("check-ignore", "-v", "-n", "-z", "--stdin", data=others, ok=(0, 1))
    fields = out.decode(errors="surrogateescape").split("\0")
    return [path for source, path in zip(fields[0::4], fields[3::4])
            if source in ("", ".gitignore")]


def base_line(repo, base):
    """Which imported base the commits stand on, told by its content."""
    tree = repo.tree_id(base)
    store = kernel_base.store()
    for version, commit in kernel_base.imported().items():
        if store.tree_id(commit) == tree:
            return f"# base-commit: {commit} {conf.get('BASE_PACKAGE')} {version}\n"
    conf.say(f"note: {base[:12]} is none of the imported bases")
    return ""


def plan(repo, base, head):
    """Everything that has to be on disk: {path: (mode, bytes)}."""
    found = commits(repo, base, head)
    check(repo, found)
    files = {}
    names = []
    for number, commit in enumerate(found, 1):
        name = f"{subsystem(commit.subject)}/{number:04d}-{slug(commit.subject)}.patch"
        raw = render(repo, commit)
        verify(name, raw, commit)
        names.append(name)
        files[f"patches/{name}"] = ("100644", raw)
        for c in commit.changes:
            if c.status == "A":
                files[c.path] = (c.new_mode, repo.blob(head, c.path))
    series = "# SPDX-License-Identifier: GPL-2.0-only\n# Written by make export-series.\n"
    series += base_line(repo, base)
    files["patches/series"] = ("100644", (series + "".join(f"{n}\n" for n in names)).encode())
    return files, names


def leftovers(files):
    """What the previous series had and the new one has not."""
    old = set()
    for name in patches.series_names():
        path = conf.REPO / "patches" / name
        if path.is_file():
            old.add(f"patches/{name}")
            try:
                claims = patches.parse(name, path.read_bytes()).claims
                old |= {p for p in claims if patches.in_claim_roots(p)}
            except conf.Error:
                conf.say(f"note: patches/{name} cannot be read; its new files stay")
    return sorted(p for p in old - set(files) if (conf.REPO / p).is_file())


def _sha(data):
    return hashlib.sha256(data).hexdigest()


def foreign_edits(files, gone, manifest):
    """Files that would be replaced but hold work which exists nowhere else."""
    own = git.Git(conf.REPO) if (conf.REPO / ".git").exists() else None
    bad = []
    for path in [*files, *gone]:
        full = conf.REPO / path
        if not full.is_file():
            continue
        now = full.read_bytes()
        if path in files and now == files[path][1] or _sha(now) == manifest.get(path):
            continue
        committed = None
        if own:
            try:
                committed = own.blob("HEAD", path)
            except git.GitError:
                pass
        if committed != now:
            bad.append(path)
    return bad


def write(files, gone):
    for path, (mode, data) in files.items():
        full = conf.REPO / path
        perm = 0o755 if mode == "100755" else 0o644
        if full.is_file() and full.read_bytes() == data:
            full.chmod(perm)
            continue
        conf.write_atomic(full, data, perm)
    for path in gone:
        full = conf.REPO / path
        full.unlink()
        for folder in full.parents:
            if folder == conf.REPO or any(folder.iterdir()):
                break
            folder.rmdir()


def export(repo, base, head, guard=True):
    """
    Write base..head to the repository; returns the number of patches.  Without
    `guard` the caller knows that base..head holds what the repository has.
    """
    base_id, head_id = repo.commit_id(base), repo.commit_id(head)
    for rev, oid in ((base, base_id), (head, head_id)):
        if oid is None:
            raise conf.Error(f"{repo.top}: has no commit {rev}")
    manifest_file = conf.build() / "series-manifest.json"
    manifest = {}
    if manifest_file.exists():
        manifest = json.loads(manifest_file.read_text())
    files, names = plan(repo, base_id, head_id)
    gone = leftovers(files)
    bad = foreign_edits(files, gone, manifest) if guard else []
    if bad and not conf.flag("FORCE"):
        raise conf.Error(*(f"{p}: was edited in the repository since the last export and is not"
                           " committed; commit it or use FORCE=1" for p in bad))
    # The list first: an interrupted export must not forget an old patch file.
    write({k: v for k, v in files.items() if k != "patches/series"}, [])
    write({"patches/series": files["patches/series"]}, gone)
    conf.write_atomic(manifest_file, json.dumps(
        {p: _sha(data) for p, (_, data) in sorted(files.items())}, indent=0) + "\n")
    whole = len(files) - len(names) - 1
    conf.say(f"export: {len(names)} patches, {whole} new files"
             + (f", {len(gone)} old files removed" if gone else ""))
    return len(names)
