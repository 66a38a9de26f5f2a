# SPDX-License-Identifier: GPL-2.0-only
# Work that exists in one place only is never overwritten.
. "$(dirname "$0")/lib.sh"

sample_series
good=$(head_of)
bump() { echo "int bump_$1;" >>"$REPO/drivers/dma-buf/fresh.c"; }

# In the tree.
echo 'int user;' >>"$LINUX/drivers/dma-buf/old.c"
bump 1
check "an edit in the tree that is not committed" \
	refuses "drivers/dma-buf/old.c has changes.*export-series.*FORCE=1" compose
check "it is still there" grep -q 'int user;' "$LINUX/drivers/dma-buf/old.c"
commit 'dma-buf: User work'
check "a commit that is not exported" refuses "1 commit.s. are not exported" compose
check "FORCE=1 composes" eval 'FORCE=1 run 0 compose && says "kept as refs/saved/1"'
check "and keeps the commit" eval '
	git -C "$LINUX" show refs/saved/1:drivers/dma-buf/old.c | grep -q "int user;"'
echo 'int user2;' >>"$LINUX/drivers/dma-buf/old.c"
bump 2
check "FORCE=1 keeps uncommitted edits too" eval 'FORCE=1 run 0 compose &&
	git -C "$LINUX" show refs/saved/2:drivers/dma-buf/old.c | grep -q "int user2;"'

echo 'int user3;' >>"$LINUX/drivers/dma-buf/old.c"
commit 'dma-buf: Third'
check "control: exported work may be composed over" eval 'run 0 export_series && run 0 compose &&
	grep -q "int user3;" "$LINUX/drivers/dma-buf/old.c"'
check "a tree with another identity but the same content is no work" eval '
	git -C "$LINUX" -c user.name=z -c user.email=z@localhost commit -q --amend --reset-author --no-edit &&
	bump 3 && refuses "not exported" compose'
FORCE=1 run 0 compose

# In the repository.
echo 'int tree;' >>"$LINUX/drivers/dma-buf/old.c"
commit 'dma-buf: Fourth'
bump 4
check "an export does not overwrite a file edited in the repository" \
	refuses "changed since the tree was composed" export_series
check "the edit is still there" grep -q bump_4 "$REPO/drivers/dma-buf/fresh.c"
git clone -q "$LINUX" "$WORK/clone"
check "nor does an export of another clone" eval '
	TREE=$WORK/clone RANGE=origin/HEAD~5..HEAD refuses "fresh.c: was edited in the repository" export_series'
sed -i '/bump_4/d' "$REPO/drivers/dma-buf/fresh.c"
check "control: without the edit it exports" run 0 export_series

echo 'int hidden;' >"$LINUX/drivers/dma-buf/hidden.c"
check "a new file that the package's .gitignore hides is not forgotten" \
	refuses "hidden.c is not committed: git add -f" export_series
rm "$LINUX/drivers/dma-buf/hidden.c"
mkdir "$LINUX/.obj-plain" && echo x >"$LINUX/.obj-plain/x.c"
echo x >"$LINUX/drivers/dma-buf/x.o"
check "control: build products do not matter" run 0 export_series

echo 'int other;' >"$LINUX/drivers/dma-buf/later.c"
check "distclean refuses while a hidden new file is there" \
	refuses "later.c is not committed" "$REPO/scripts/tree/clean" all
echo 'int fresh2;' >"$REPO/drivers/dma-buf/later.c"
sed -i 's/^ create mode 100644 include/ create mode 100644 drivers\/dma-buf\/later.c\n&/' \
	"$REPO"/patches/drm-xe/0002*
check "a file that is in the way of a new one is not overwritten" eval '
	refuses "later.c would be overwritten" compose && grep -q other "$LINUX/drivers/dma-buf/later.c"'
rm "$LINUX/drivers/dma-buf/later.c"
check "control: without it" eval 'run 0 compose && grep -q fresh2 "$LINUX/drivers/dma-buf/later.c"'

check "distclean refuses while work is not exported" eval '
	echo "int last;" >>"$LINUX/drivers/dma-buf/old.c" && refuses "has changes" "$REPO/scripts/tree/clean" all &&
	[ -d "$LINUX" ]'
git -C "$LINUX" checkout -q drivers/dma-buf/old.c
check "clean leaves the tree" eval 'run 0 "$REPO/scripts/tree/clean" && [ -d "$LINUX/.git" ]'
check "control: distclean removes it" eval 'run 0 "$REPO/scripts/tree/clean" all && [ ! -d "$REPO/build" ]'
mkdir -p "$LINUX" && echo x >"$LINUX/mine"
check "a folder that is no composed tree is left alone" refuses "is no composed tree" compose
