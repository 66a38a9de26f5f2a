# SPDX-License-Identifier: GPL-2.0-only
# KDIR=: a tree of the user's own gets a branch, or nothing at all.
. "$(dirname "$0")/lib.sh"

sample_series
K=$WORK/user
git clone -q "$LINUX" "$K"
git -C "$K" checkout -q -b work base
git -C "$K" branch -q -D dmabuf-pal
git -C "$K" config user.name user
git -C "$K" config user.email user@localhost
print() { fingerprint "$K"; }
onto() { KDIR=$K "$REPO/scripts/tree/compose"; }

echo '/* conflict */' >"$WORK/line"
sed -i 's/int line_5;/char line_5;/' "$K/drivers/dma-buf/dma-buf.c"
echo 'int mine;' >"$K/include/linux/fresh.h"
git -C "$K" add -f include/linux/fresh.h
git -C "$K" commit -qam conflict
echo dirty >>"$K/Kbuild"
before=$(print)
check "a conflict names patch and file" \
	refuses "0001-dma-buf-Widen-line-5.patch: does not apply to drivers/dma-buf/dma-buf.c: hunk at line" onto
check "and every later one too" says "0002-.*: creates include/linux/fresh.h, which exists already"
check "and says how much applies" says "1 of 3 patches apply"
check "not one byte of the user's tree changed" same "$(print)" "$before"

git -C "$K" checkout -q -f base -B work
echo dirty >>"$K/Kbuild"
check "control: without the conflict a branch appears" run 0 onto
check "with the same content as the composed tree" \
	same "$(git -C "$K" rev-parse 'dmabuf-pal^{tree}')" "$(git -C "$LINUX" rev-parse 'HEAD^{tree}')"
check "the checked-out branch and the user's edit are untouched" eval '
	same "$(git -C "$K" symbolic-ref --short HEAD)" work && grep -q dirty "$K/Kbuild" &&
	same "$(git -C "$K" status --porcelain)" " M Kbuild"'
check "the branch is complete" git -C "$K" fsck --connectivity-only dmabuf-pal
check "a second call finds it done" run 0 onto

tip=$(git -C "$K" rev-parse dmabuf-pal)
git -C "$K" update-ref refs/heads/dmabuf-pal base
check "another branch of that name is not replaced" refuses "branch dmabuf-pal exists" onto
check "KBRANCH= names another" eval 'KBRANCH=second run 0 onto &&
	same "$(git -C "$K" rev-parse second)" "$tip"'
check "FORCE=1 keeps the old one" eval 'FORCE=1 run 0 onto &&
	same "$(git -C "$K" rev-parse dmabuf-pal)" "$tip" && git -C "$K" for-each-ref refs/saved | grep -q .'
git -C "$K" checkout -q -f dmabuf-pal
git -C "$K" commit -q --allow-empty -m own
check "a branch that is checked out is not moved under the user" eval '
	KBASE=base refuses "is checked out" onto'

mkdir "$WORK/plain"
check "a folder that is no git tree" eval 'K=$WORK/plain; refuses "is no git tree" onto'
check "a folder inside of a git tree" eval 'K=$LINUX/drivers; refuses "no git tree of its own" onto'
check "a folder that does not exist" eval 'K=$WORK/none; refuses "no such folder" onto'
git init -q "$WORK/other"
git -C "$WORK/other" -c user.name=x -c user.email=x@localhost commit -q --allow-empty -m x
check "a git tree that is no kernel" eval 'K=$WORK/other; refuses "is no kernel tree" onto'
