# SPDX-License-Identifier: GPL-2.0-only
# Same inputs, same commit ids; compose -> export -> compose loses nothing.
. "$(dirname "$0")/lib.sh"

sample_series
first=$(head_of)
before=$(series_print)
check "exporting the composed tree changes no file" \
	eval 'run 0 export_series && same "$(series_print)" "$before"'
rm -rf "$REPO/build"
check "a second composition gives the same commit" \
	eval 'run 0 compose && same "$(head_of)" "$first"'
check "the message survives" \
	eval 'same "$(git -C "$LINUX" log -1 --format=%B HEAD~2)" \
		"$(printf "dma-buf: Widen line 5\n\nWhy \xe2\x80\x93 because.\n\nSecond paragraph.")"'
check "a script keeps its mode, in the tree and in the repository" \
	eval '[ -x "$LINUX/tools/x/run.sh" ] && [ -x "$REPO/tools/x/run.sh" ]'
check "new files live whole in the repository, carriage returns included" \
	cmp "$LINUX/include/linux/fresh.h" "$REPO/include/linux/fresh.h"
check "no patch holds a hunk that creates a file" \
	eval '! grep -r "^new file mode" "$REPO/patches"'
check "patches are sorted by subsystem" \
	ls "$REPO/patches/dma-buf/0001-dma-buf-Widen-line-5.patch" \
	"$REPO/patches/drm-xe/0002-drm-xe-Add-fresh-files.patch"

# The base: what a checkout could bend.
modes() {
	same "$(git -C "$LINUX" ls-tree -r base scripts include/linux/crlf.h | cut -d' ' -f1 | xargs)" \
		"100644 120000 100755"
}
check "the base keeps modes and links" modes
check "and carriage returns" grep -q $'\r' "$LINUX/include/linux/crlf.h"

# Another place, another user's settings, another umask.
other=$WORK/elsewhere/deep
mkdir -p "$other"
cp -r "$REPO/." "$other/"
rm -rf "$other/build"
printf '[core]\n\tautocrlf = true\n\tfileMode = false\n[diff]\n\tnoprefix = true\n\trenames = false
[user]\n\tname = other\n\temail = o@localhost\n[commit]\n\tgpgSign = true\n' >"$HOME/.gitconfig"
check "the same commit with other git settings, umask, folder and cache" eval '
	(umask 077; CACHE=$WORK/cache2; export CACHE; mkdir -p "$CACHE"; cp -r "$WORK/cache/debs" "$CACHE/"
	TZ=Asia/Tokyo run 0 "$other/scripts/tree/compose") && same "$(head_of "$other/build/linux")" "$first"'
check "exported there, the files are the same" eval '
	(export CACHE=$WORK/cache2; run 0 "$other/scripts/tree/export-series") &&
	same "$(cat "$other"/patches/*/*.patch "$other/patches/series" | sha256sum)" \
		"$(cat "$REPO"/patches/*/*.patch "$REPO/patches/series" | sha256sum)"'
rm "$HOME/.gitconfig"

# Control: the ids are the same because the inputs are.
echo 'int more;' >>"$REPO/drivers/dma-buf/fresh.c"
check "a changed input gives another commit" \
	eval 'run 0 compose && differs "$(head_of)" "$first"'
check "only the patches from there on are composed again" says '2 of 3 patches composed'

# Incremental: what did not change is not written.
touch -d @1000000000 "$LINUX/drivers/dma-buf/dma-buf.c" "$LINUX/drivers/dma-buf/fresh.c"
echo 'int again;' >>"$REPO/drivers/dma-buf/fresh.c"
check "a file that does not change keeps its time" eval 'run 0 compose &&
	same "$(stat -c %Y "$LINUX/drivers/dma-buf/dma-buf.c")" 1000000000'
check "a file that changes does not" eval '
	differs "$(stat -c %Y "$LINUX/drivers/dma-buf/fresh.c")" 1000000000'
check "nothing is done when nothing changed" eval 'run 0 compose && says unchanged'

# TREE= and RANGE=: commits of any clone, whatever its identity.
run 0 export_series
git clone -q "$LINUX" "$WORK/clone"
check "the commits of another clone are exported to the same files" eval '
	print=$(series_print)
	export TREE=$WORK/clone RANGE=HEAD~3..HEAD
	run 0 export_series && same "$(series_print)" "$print"'
