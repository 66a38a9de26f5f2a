# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Shared by scripts/kernel/build and scripts/kselftest-build; sourced.

cache=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dmabuf-pal}
build=${BUILD:-$top/build}

say() { echo "$*" >&2; }
die() { say "${0#"$top"/}: $1"; exit "${2:-1}"; }

# The tree object of what is checked out at $1, local edits included.
tree_id() {
	local src=$1 index new
	# Debian's source package ignores every new file, so ask for them by hand.
	new=$(git -C "$src" ls-files --others --exclude='/.obj-*')
	if [ -z "$new$(git -C "$src" status --porcelain)" ]; then
		git -C "$src" rev-parse 'HEAD^{tree}'
		return
	fi
	index=$(mktemp)
	cp "$(git -C "$src" rev-parse --path-format=absolute --git-path index)" "$index"
	GIT_INDEX_FILE=$index git -C "$src" add -u
	[ -z "$new" ] || (cd "$src" && xargs -d '\n' \
		env GIT_INDEX_FILE="$index" git add -f -- <<<"$new")
	GIT_INDEX_FILE=$index git -C "$src" write-tree
	rm -f "$index"
}

# source_tree series|base: sets src and tree. The base is unpacked when needed
# only (need_base): its tree object is known without. tree_git is a git that has it.
source_tree() {
	if [ "$1" = base ] && [ -z "${LINUX_BASE:-}" ]; then
		[ -f "$build/base-version" ] || "$top/scripts/tree/compose" >&2
		base_commit=$(awk 'NR == 1 { print $2 }' "$build/base-version")
		src=$build/base
		tree_git=(git --git-dir="$cache/base.git")
		tree=$("${tree_git[@]}" rev-parse "$base_commit^{tree}")
		return
	fi
	if [ "$1" = base ]; then
		src=$LINUX_BASE
	else
		src=${LINUX:-$build/linux}
	fi
	[ -f "$src/Kbuild" ] && [ -e "$src/.git" ] ||
		die "no kernel tree at $src: run 'make tree' first" 2
	src=$(cd "$src" && pwd -P)
	tree_git=(git -C "$src")
	tree=$(tree_id "$src")
}

# What of that tree a kernel is made of: not its documentation and its selftests.
kernel_sources() {
	"${tree_git[@]}" ls-tree "$tree" | grep -vP '\t(Documentation|MAINTAINERS|tools)$'
	"${tree_git[@]}" ls-tree "$tree:tools" | grep -vP '\ttesting$'
}

# The unpatched base as a work tree of its own.
need_base() {
	[ -n "${base_commit:-}" ] || return 0
	local git=(git --git-dir="$cache/base.git")
	if [ "$(git -C "$src" rev-parse HEAD 2>/dev/null)" != "$base_commit" ] ||
		[ ! -f "$src/.complete" ]; then
		say "unpacking the unpatched base"
		rm -rf "$src"
		"${git[@]}" worktree prune
		"${git[@]}" worktree add -q --detach "$src" "$base_commit" >&2
		touch "$src/.complete"
	fi
	src=$(cd "$src" && pwd -P)
}

use_ccache() {
	command -v ccache >/dev/null || die "ccache is not installed" 2
	export CCACHE_DIR=${CCACHE_DIR:-$cache/ccache}
	export CCACHE_BASEDIR=$1 CCACHE_NOHASHDIR=1
	# A miss need not run the preprocessor: a third of a cold build's time.
	export CCACHE_DEPEND=1
}

# watched LABEL LOG COMMAND...: runs it into LOG, with a line every ten seconds
# and the log's tail if it fails.
watched() {
	local label=$1 log=$2 start=$SECONDS watcher status=0
	shift 2
	# Who waited for the lock may find that the one who had it made the same. This
	# is here, since the text of scripts/kernel/build is in the key of all kernels.
	if [ -n "${dest:-}" ] && [ -f "$dest/bzImage" ]; then
		say "$label: another build made it"
		echo "$dest"
		exit
	fi
	mkdir -p "$(dirname "$log")"
	say "$label (log: ${log#"$top"/})"
	(
		# The pause must not outlive us: it would keep our locks.
		trap 'kill $!; exit' TERM
		while sleep 10 & wait $! && kill -0 $$ 2>/dev/null; do
			count=$(grep -c -E '^ +(CC|AS|LD|AR|HOSTCC) ' "$log" || true)
			say "  $label: $count objects, $((SECONDS - start)) s"
		done
	) &
	watcher=$!
	"$@" >"$log" 2>&1 || status=$?
	kill "$watcher" 2>/dev/null || true
	wait "$watcher" 2>/dev/null || true
	if [ $status != 0 ]; then
		tail -n 25 "$log" >&2
		die "$label: failed, see $log"
	fi
	say "$label: done in $((SECONDS - start)) s"
}
