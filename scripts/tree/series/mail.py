# SPDX-License-Identifier: GPL-2.0-only
"""The series as mails: whole diffs, new files included, and a cover letter."""

import re
import textwrap

from . import conf

_OPTIONS = ["--no-renames", "--no-ext-diff", "--no-textconv", "--no-color", "--full-index",
            "--binary", "--diff-algorithm=myers", "--no-signature", "--zero-commit",
            "--encode-email-headers"]


def cover_text():
    """(subject, body) of patches/cover-letter.txt, or None."""
    path = conf.REPO / "patches" / "cover-letter.txt"
    if not path.exists():
        return None
    lines = [x for x in path.read_text().splitlines() if "SPDX-License-Identifier" not in x]
    while lines and not lines[0].strip():
        lines.pop(0)
    if not lines:
        raise conf.Error(f"{path}: is empty")
    subject = re.sub(r"^Subject:\s*", "", lines[0]).strip()
    return subject, "\n".join(lines[1:]).strip("\n")


def shortlog(repo, base, head):
    titles = repo.text("log", "--reverse", "--format=%s", f"{base}..{head}").splitlines()
    return f"{conf.get('SERIES_NAME')} ({len(titles)}):\n" + "\n".join(
        textwrap.fill(t, 74, initial_indent="  ", subsequent_indent="    ") for t in titles)


def cover(repo, base, head, total):
    """The cover letter; its Date is that of the last patch, so it repeats."""
    found = cover_text()
    if not found:
        return None
    subject, body = found
    width = len(str(total))
    stat = repo.text("diff", "--no-renames", "--no-ext-diff", "--no-color", "--stat=74",
                     "--summary", base, head)
    date = repo.text("log", "-1", "--format=%aD", head)
    return (f"From {'0' * 40} Mon Sep 17 00:00:00 2001\n"
            f"From: {conf.get('SERIES_NAME')} <{conf.get('SERIES_EMAIL')}>\nDate: {date}\n"
            f"Subject: [PATCH {0:0{width}d}/{total}] {subject}\nMIME-Version: 1.0\n"
            "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n"
            f"{body}\n\n{shortlog(repo, base, head)}\n\n{stat}\n\nbase-commit: {base}\n")


def write(repo, base, head, folder, numbered=True):
    """Fill `folder` with one mail per commit; returns their paths in order."""
    total = int(repo.text("rev-list", "--count", f"{base}..{head}"))
    if not total:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.patch"):
        old.unlink()
    letter = cover(repo, base, head, total)
    options = ["-n" if numbered else "-N"]
    if letter is None:
        options.append(f"--base={base}")
    elif numbered:
        conf.write_atomic(folder / "0000-cover-letter.patch", letter)
    repo.run("format-patch", "-q", *_OPTIONS, *options, "-o", folder, f"{base}..{head}")
    return sorted(p for p in folder.glob("*.patch") if not p.name.startswith("0000-"))
