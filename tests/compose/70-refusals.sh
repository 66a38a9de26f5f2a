# SPDX-License-Identifier: GPL-2.0-only
# What patches and whole files cannot express is refused before anything is written.
. "$(dirname "$0")/lib.sh"

sample_series
good=$(head_of)
print=$(series_print)
again() {
	git -C "$LINUX" reset -q --hard "$good"
	git -C "$LINUX" clean -qfdx drivers include tools virt 2>/dev/null || true
}
refused() { refuses "$1" export_series && same "$(series_print)" "$print"; }

echo 'int later;' >>"$LINUX/drivers/dma-buf/fresh.c"
commit 'dma-buf: Edit a new file'
check "a new file that a later commit edits" \
	refused "edits drivers/dma-buf/fresh.c, a new file of commit .*: a new file has to be whole"
again
git -C "$LINUX" mv -f drivers/dma-buf/fresh.c drivers/dma-buf/moved.c
commit 'dma-buf: Rename a new file'
check "a new file that a later commit renames" refused "renames drivers/dma-buf/fresh.c"
again
printf 'c\0d' >"$LINUX/drivers/dma-buf/blob.bin"
commit 'dma-buf: Change a binary file'
check "a change of a binary file" refused "changes the binary file drivers/dma-buf/blob.bin"
again
ln -s old.c "$LINUX/drivers/dma-buf/link.c"
add drivers/dma-buf/link.c
commit 'dma-buf: Add a link'
check "a symbolic link" refused "link.c is no plain file"
again
mkdir -p "$LINUX/kernel" && echo x >"$LINUX/kernel/new.c"
add kernel/new.c
commit 'kernel: Add a file'
check "a new file outside of the claimed folders" refused "creates kernel/new.c, which is outside"
again
git -C "$LINUX" commit -q --allow-empty -m 'dma-buf: Nothing'
check "an empty commit" refused "changes nothing"
again
git -C "$LINUX" checkout -q -b side HEAD~1
echo 'int side;' >>"$LINUX/drivers/dma-buf/old.c"
commit 'dma-buf: Side'
git -C "$LINUX" checkout -q dmabuf-pal
git -C "$LINUX" merge -q --no-ff -m merge side
check "a merge" refused "is a merge or off the line"
again
echo 'int cut;' >>"$LINUX/drivers/dma-buf/old.c"
commit $'dma-buf: Cut\n\nBefore\n---\nAfter'
check "a message that a mail would cut" refused "would not survive a mail"
again
echo 'int sub;' >>"$LINUX/drivers/dma-buf/old.c"
commit $'dma-buf: In-body\n\nFrom: someone else <e@localhost>\n\nText'
check "a message that a mail would read as a header" refused "would not survive a mail"
again
check "a range that does not exist" eval 'TREE=$LINUX RANGE=none..HEAD refused "has no commit none"'
check "a tree that is none" eval 'TREE=$WORK RANGE=a..b refused "is no git tree"'
check "RANGE without TREE" eval 'RANGE=a..b refused "RANGE= needs TREE="'

# What can be expressed although it is unusual.
git -C "$LINUX" mv drivers/dma-buf/dma-buf.c drivers/dma-buf/core.c
git -C "$LINUX" rm -q drivers/dma-buf/old.c
chmod +x "$LINUX/include/linux/crlf.h"
# Bytes that a mail could bend: carriage returns, Latin 1, a form feed, no last newline.
printf '#define Y \xe9\r\n\f\n-- \nend' >>"$LINUX/include/linux/crlf.h"
printf '\0\1' >"$LINUX/drivers/dma-buf/new.bin"
add drivers/dma-buf/new.bin
commit 'dma-buf: Rename, delete, chmod and a binary new file'
tree=$(git -C "$LINUX" rev-parse 'HEAD^{tree}')
check "control: rename, deletion, mode, odd bytes and a binary new file go round" eval '
	run 0 export_series && run 0 compose && same "$(git -C "$LINUX" rev-parse "HEAD^{tree}")" "$tree"'
git -C "$LINUX" reset -q --hard HEAD~2
check "patches and files of removed commits are removed" eval '
	run 0 export_series && run 0 compose && [ ! -e "$REPO/tools" ] && [ ! -e "$REPO/drivers/dma-buf/new.bin" ] &&
	[ ! -e "$REPO/patches/selftests" ] && same "$(grep -c patch$ "$REPO/patches/series")" 2'
