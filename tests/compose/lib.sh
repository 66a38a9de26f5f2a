# SPDX-License-Identifier: GPL-2.0-only
# For the tests of the composer: a repository of its own, a kernel package of a
# few files, and rows of TAP.  Sourced; expects $WORK, a folder to itself.
set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
REPO=$WORK/repo
LINUX=$REPO/build/linux
OUT=$WORK/out
export CACHE=$WORK/cache HOME=$WORK/home LC_ALL=C
unset BUILD KDIR KBASE KBRANCH TREE RANGE FORCE REFRESH BASE_VERSION MAKEFLAGS
mkdir -p "$HOME"

# ok/not ok by the status of a command; its output explains a failure.
check() {
	local name=$1
	shift
	if "$@" >"$WORK/check.log" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' "$WORK/check.log" "$OUT" 2>/dev/null | tail -15
	fi
}

# run STATUS command...: the exit status has to match; output goes to $OUT.
run() {
	local want=$1 got=0
	shift
	"$@" >"$OUT" 2>&1 || got=$?
	[ "$got" = "$want" ] || {
		echo "status $got instead of $want: $*"
		return 1
	}
}

# refuses TEXT command...: status 2 and one line that says TEXT.
refuses() {
	local text=$1
	shift
	run 2 "$@" && says "error: .*$text"
}

says() {
	grep -qE -- "$1" "$OUT" || {
		echo "no line matches: $1"
		return 1
	}
}

same() {
	[ "$1" = "$2" ] || {
		echo "'$1' is not '$2'"
		return 1
	}
}

differs() {
	[ "$1" != "$2" ]
}

# package VERSION [lines]: a kernel source package, `lines` more at the top of
# a file so that hunks move.
package() {
	local version=$1 lines=${2-0} dir=$WORK/pkg
	local src=$dir/src/linux-source-7.3
	rm -rf "$dir"
	mkdir -p "$src"/{drivers/dma-buf,include/linux,scripts} "$dir/deb/DEBIAN" "$dir/deb/usr/src"
	echo '# Kbuild' >"$src/Kbuild"
	printf '*.o\n/*\n!/debian/\n' >"$src/.gitignore"
	for ((i = 0; i < lines; i++)); do
		echo "/* moved $i */"
	done >"$src/drivers/dma-buf/dma-buf.c"
	for i in {1..40}; do
		echo "int line_$i;"
	done >>"$src/drivers/dma-buf/dma-buf.c"
	echo 'obj-y := dma-buf.o' >"$src/drivers/dma-buf/Makefile"
	echo 'int old;' >"$src/drivers/dma-buf/old.c"
	printf 'a\0b' >"$src/drivers/dma-buf/blob.bin"
	printf '#define X 1\r\n' >"$src/include/linux/crlf.h"
	printf '#!/bin/sh\n' >"$src/scripts/tool.sh"
	chmod 755 "$src/scripts/tool.sh"
	ln -s tool.sh "$src/scripts/link.sh"
	tar -C "$dir/src" --owner=0 --group=0 --mtime=@0 --sort=name -cJf \
		"$dir/deb/usr/src/linux-source-7.3.tar.xz" linux-source-7.3
	printf '%s\n' 'Package: linux-source-7.3' "Version: $version" 'Architecture: all' \
		'Maintainer: nobody <nobody@localhost>' 'Description: test' >"$dir/deb/DEBIAN/control"
	mkdir -p "$CACHE/debs"
	dpkg-deb --root-owner-group -b "$dir/deb" \
		"$CACHE/debs/linux-source-7.3_${version}_all.deb" >/dev/null
}

# repository [folder]: the composer in a repository without a series.
repository() {
	local dir=${1-$REPO}
	mkdir -p "$dir/scripts" "$dir/patches"
	cp -r "$TOP/scripts/tree" "$dir/scripts/"
	cp "$TOP/base.mk" "$TOP/.gitignore" "$dir/"
	git -C "$dir" init -q
}

compose() { "$REPO/scripts/tree/compose"; }
export_series() { "$REPO/scripts/tree/export-series"; }
head_of() { git -C "${1-$LINUX}" rev-parse HEAD; }
commit() { git -C "$LINUX" -c user.name=me -c user.email=me@localhost commit -qam "$1"; }
add() { git -C "$LINUX" add -f "$@"; }

# Three commits: an edit, new files with an edit, an executable new file.
sample_series() {
	run 0 compose
	sed -i 's/int line_5;/long line_5;/' "$LINUX/drivers/dma-buf/dma-buf.c"
	commit $'dma-buf: Widen line 5\n\nWhy \xe2\x80\x93 because.\n\nSecond paragraph.'
	printf '// SPDX-License-Identifier: GPL-2.0-only\nint fresh;\n' \
		>"$LINUX/drivers/dma-buf/fresh.c"
	printf '#define FRESH 1\r\n' >"$LINUX/include/linux/fresh.h"
	echo 'obj-y += fresh.o' >>"$LINUX/drivers/dma-buf/Makefile"
	add drivers/dma-buf/fresh.c include/linux/fresh.h
	commit 'drm/xe: Add fresh files'
	mkdir -p "$LINUX/tools/x"
	printf '#!/bin/sh\n# SPDX-License-Identifier: GPL-2.0-only\n' >"$LINUX/tools/x/run.sh"
	chmod 755 "$LINUX/tools/x/run.sh"
	add tools/x/run.sh
	commit 'selftests: Add a script'
	run 0 export_series
	run 0 compose
}

# All that a refusal must leave alone: names, modes and content of a folder.
fingerprint() {
	(cd "$1" && find . "${@:2}" -type f -printf '%p %m ' -exec sha256sum {} \; | sort | sha256sum)
}
series_print() { fingerprint "$REPO" -path ./build -prune -o -path ./.git -prune -o; }

package 7.3.99-1
repository
