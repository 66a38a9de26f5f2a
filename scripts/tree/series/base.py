# SPDX-License-Identifier: GPL-2.0-only
"""
The base: a kernel source package as one commit of a bare repository.

The commit is made from the tar stream by git fast-import, so neither the
user's umask nor an ignore file of the kernel decides what is in it, and its id
is the same everywhere.  A reference appears only when the import is complete:
an interrupted one leaves a stray pack that the next import removes.
"""

import re
import subprocess
import tarfile
import threading

from . import apt, conf, git

_CHUNK = 1 << 20


def mangle(version):
    """A package version as part of a reference name (the rule of DEP 14)."""
    return version.replace("~", "_").replace(":", "%")


def store():
    """The bare repository of all imported bases."""
    path = conf.cache() / "base.git"
    if not (path / "objects").is_dir():
        path.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "init", "-q", "--bare", path], check=True,
                       env=git.environment())
    return git.Git(path, bare=True)


def deb_version(path):
    """The version in the package itself: a file name may be mangled."""
    p = subprocess.run(["dpkg-deb", "-f", path, "Version"], capture_output=True, text=True)
    return p.stdout.strip() if p.returncode == 0 and p.stdout.strip() else None


def newer(a, b):
    return subprocess.run(["dpkg", "--compare-versions", a, "gt", b]).returncode == 0


def cached_debs():
    """{version: path} of the packages at hand."""
    found = {}
    for path in sorted((conf.cache() / "debs").glob(f"{conf.get('BASE_PACKAGE')}_*.deb")):
        version = deb_version(path)
        if version:
            found[version] = path
        else:
            conf.say(f"note: {path} is no Debian package, ignored")
    return found


def imported():
    """{version: commit} of the bases in the store."""
    prefix = f"refs/base/{conf.get('BASE_PACKAGE')}/"
    out = store().text("for-each-ref", "--format=%(refname) %(objectname)", prefix)
    found = {}
    for line in out.splitlines():
        ref, commit = line.split()
        found[ref[len(prefix):].replace("_", "~").replace("%", ":")] = commit
    return found


def best(versions):
    top = None
    for version in versions:
        if top is None or newer(version, top):
            top = version
    return top


def recorded():
    path = conf.build() / "base-version"
    return path.read_text().split()[0] if path.exists() else None


def ensure():
    """(version, commit) of the base, fetched and imported where needed."""
    with conf.lock(conf.cache() / "base.lock"):
        want = conf.get("BASE_VERSION")
        done = imported()
        if not want and not conf.flag("REFRESH"):
            want = recorded() if recorded() in done else None
            want = want or best(list(done) + list(cached_debs()))
        if not want or (want not in done and want not in cached_debs()):
            path, suite = apt.fetch_first(conf.get("BASE_PACKAGE"), conf.words("BASE_SUITES"),
                                          conf.cache() / "debs")
            version = deb_version(path)
            if version is None:
                raise conf.Error(f"{path}: not a Debian package; remove it and call again")
            if conf.get("BASE_VERSION") and version != conf.get("BASE_VERSION"):
                raise conf.Error(f"BASE_VERSION={conf.get('BASE_VERSION')}: {suite} offers"
                                 f" {version} only")
            want = version
        if want not in done:
            done[want] = import_deb(want, cached_debs()[want])
        return want, done[want]


def import_deb(version, deb):
    repo = store()
    conf.need_space(repo.dir, 900, "the imported kernel source")
    for stray in (repo.dir / "objects" / "pack").glob("tmp_*"):
        stray.unlink()
    package = conf.get("BASE_PACKAGE")
    progress = conf.Progress(f"import {package} {version}")
    ref = f"refs/import/{mangle(version)}"
    feed = subprocess.Popen(["git", "-c", "core.compression=1", "fast-import", "--quiet",
                             "--depth=0", "--done", "--force"], cwd=repo.dir,
                            env=repo.env, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    errors = []
    reader = threading.Thread(target=lambda: errors.append(feed.stderr.read()), daemon=True)
    reader.start()
    try:
        count = _stream(deb, feed.stdin, ref, f"{package} {version}", progress)
        feed.stdin.close()
        feed.wait()
    except BrokenPipeError:
        feed.wait()
        count = 0
    except BaseException:
        feed.kill()
        feed.wait()
        raise
    reader.join()
    if feed.returncode or not count:
        why = [x for x in errors[0].decode(errors="replace").splitlines() if x.strip()][:1]
        raise conf.Error(f"import of {deb.name} failed: {' '.join(why) or 'git fast-import'}")
    commit = repo.commit_id(ref)
    repo.run("update-ref", f"refs/base/{package}/{mangle(version)}", commit)
    repo.run("update-ref", "-d", ref)
    progress.done(f"{count} files, commit {commit[:12]}")
    return commit


def _stream(deb, out, ref, subject, progress):
    """Write one commit holding every file of the package's tar archive."""
    who = f"{conf.get('SERIES_NAME')} <{conf.get('SERIES_EMAIL')}>"
    when = f"{conf.get('SERIES_EPOCH')} +0000"
    message = subject.encode()
    out.write(f"feature done\ncommit {ref}\nauthor {who} {when}\n"
              f"committer {who} {when}\ndata {len(message)}\n".encode() + message + b"\n")
    count = 0
    for member, data in _members(deb):
        path = member.name.split("/", 1)[1] if "/" in member.name else ""
        if not path or not (member.isreg() or member.issym()):
            continue
        if member.issym():
            mode, size, source = "120000", len(member.linkname.encode()), None
        else:
            mode, size, source = "100644", member.size, data
            if member.mode & 0o100:
                mode = "100755"
        quoted = path
        if re.search(r'["\\\n]', path) or path.startswith(" "):
            quoted = '"' + re.sub(r'(["\\])', r"\\\1", path) + '"'
        out.write(f"M {mode} inline {quoted}\ndata {size}\n".encode("utf-8", "surrogateescape"))
        if source is None:
            out.write(member.linkname.encode())
        else:
            while chunk := source.read(_CHUNK):
                out.write(chunk)
        out.write(b"\n")
        count += 1
        progress.tick(f"{count} files")
    if not count:
        raise conf.Error(f"{deb}: no kernel source inside")
    out.write(b"done\n")
    return count


def _damaged(deb, why):
    return conf.Error(f"{deb}: damaged ({why}); remove it and call again")


def _members(deb):
    """(member, reader) for each entry of the tar.xz inside the package."""
    found = False
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as outer:
        try:
            with tarfile.open(fileobj=outer.stdout, mode="r|") as package:
                for entry in package:
                    if re.search(r"/usr/src/linux-source-[^/]+\.tar\.xz$", "/" + entry.name):
                        found = True
                        yield from _unpack(deb, package.extractfile(entry))
                        break
        except (tarfile.TarError, EOFError) as e:
            raise _damaged(deb, e) from None
        finally:
            outer.stdout.close()
            outer.terminate()
    if not found:
        raise conf.Error(f"{deb}: holds no usr/src/linux-source-*.tar.xz")


def _unpack(deb, packed):
    xz = subprocess.Popen(["xz", "-dc", "-T0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    trouble = []

    def pump():
        try:
            while chunk := packed.read(_CHUNK):
                xz.stdin.write(chunk)
        except (OSError, tarfile.TarError) as e:
            trouble.append(str(e))
        finally:
            try:
                xz.stdin.close()
            except OSError:
                pass

    thread = threading.Thread(target=pump, daemon=True)
    thread.start()
    try:
        with tarfile.open(fileobj=xz.stdout, mode="r|", bufsize=_CHUNK) as archive:
            for member in archive:
                reader = archive.extractfile(member) if member.isreg() else None
                if member.islnk():
                    raise conf.Error(f"{member.name}: hard links are not expected")
                yield member, reader
    except (tarfile.TarError, EOFError) as e:
        raise _damaged(deb, trouble[0] if trouble else e) from None
    finally:
        xz.stdout.close()
        xz.kill()
        xz.wait()
