# SPDX-License-Identifier: GPL-2.0-only
# A call that dies leaves nothing that the next call could mistake for done.
. "$(dirname "$0")/lib.sh"

sample_series
good=$(head_of)

# A git in front of git that kills itself at one command, once.
REAL_GIT=$(command -v git)
export REAL_GIT
mkdir "$WORK/bin"
cat >"$WORK/bin/git" <<'END'
#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
for word in "$@"; do
	if [ "$word" = "$DIE_AT" ] && [ ! -e "$DIE_ONCE" ]; then
		touch "$DIE_ONCE"
		if [ "$word" = fast-import ]; then
			head -c 600 | "$REAL_GIT" "$@"
		fi
		kill -9 $$
	fi
done
exec "$REAL_GIT" "$@"
END
chmod +x "$WORK/bin/git"
dying() {
	export DIE_AT=$1 DIE_ONCE=$WORK/died.$1
	PATH=$WORK/bin:$PATH "$REPO/scripts/tree/compose"
}

for step in fast-import read-tree commit-tree reset; do
	rm -rf "$REPO/build" "$CACHE/base.git"
	check "killed at $step: an error line" eval '
		run 2 dying $step && says "^error: " && [ -e "$WORK/died.$step" ]'
	if [ $step = fast-import ]; then
		check "no base was recorded" eval '
			[ -z "$(git -C "$CACHE/base.git" for-each-ref refs/base)" ]'
	fi
	check "killed at $step: the next call gives the same commit" eval '
		run 0 compose && same "$(head_of)" "$good" &&
		same "$(git -C "$LINUX" status --porcelain)" ""'
done

# Killed in the middle of writing files: some are there, the index is not.
rm -rf "$REPO/build"
run 2 eval 'rm -f "$WORK/died.reset"; dying reset'
mkdir -p "$LINUX/drivers/dma-buf"
echo partial >"$LINUX/drivers/dma-buf/dma-buf.c"
touch "$LINUX/.git/index.lock"
check "a half-written checkout is completed" eval '
	run 0 compose && same "$(head_of)" "$good" && same "$(git -C "$LINUX" status --porcelain)" ""'

# No room: the same path as a full disk, by a limit on the file size.
rm -rf "$REPO/build" "$CACHE/base.git"
check "a write that fails is told" eval '(ulimit -f 0; trap "" XFSZ; ! "$REPO/scripts/tree/compose") 2>&1 |
	grep -q "^error: "'
rm -rf "$REPO/build/linux/.git.tmp"
check "and the next call continues" eval 'run 0 compose && same "$(head_of)" "$good"'

# The cache goes away: it is made again, with the same objects.
rm -rf "$CACHE/base.git"
check "a removed cache is imported again" eval 'run 0 compose && same "$(head_of)" "$good" &&
	git -C "$LINUX" fsck --connectivity-only'
mv "$CACHE" "$WORK/moved"
check "a moved cache is found by its new name" eval 'CACHE=$WORK/moved run 0 compose &&
	same "$(head_of)" "$good" && git -C "$LINUX" cat-file -e "base^{tree}"'

# A damaged package.
export CACHE=$WORK/damaged
mkdir -p "$CACHE/debs"
head -c 700 "$WORK/moved/debs/linux-source-7.3_7.3.99-1_all.deb" \
	>"$CACHE/debs/linux-source-7.3_7.3.99-1_all.deb"
rm -rf "$REPO/build"
check "a truncated package is named and nothing is recorded" eval '
	BASE_VERSION=7.3.99-1 DEBIAN_MIRROR=file:///nonexistent run 2 compose && says "^error: " &&
	[ ! -e "$REPO/build/base-version" ]'
cp "$WORK"/moved/debs/* "$CACHE/debs/"
check "control: the whole package" eval 'run 0 compose && same "$(head_of)" "$good"'
