# SPDX-License-Identifier: GPL-2.0-only
# make format-patch: whole mails that git am turns back into the tree.
. "$(dirname "$0")/lib.sh"

format_patch() { "$REPO/scripts/tree/format-patch"; }
mails=$REPO/build/mail

run 0 compose
check "an empty series" refuses "the series is empty" format_patch
sample_series
check "mails without a cover letter" eval 'run 0 format_patch && says "3 patches, without"'
check "the first one says its base" eval '
	grep -q "^base-commit: $(git -C "$LINUX" rev-parse base)" "$mails"/0001-*.patch'
git clone -q "$LINUX" "$WORK/am"
git -C "$WORK/am" config user.name am
git -C "$WORK/am" config user.email am@localhost
git -C "$WORK/am" checkout -q --detach HEAD~3
check "git am gives the composed tree" eval '
	git -C "$WORK/am" am -q --keep-cr "$mails"/000[1-9]-*.patch &&
	same "$(git -C "$WORK/am" rev-parse "HEAD^{tree}")" "$(git -C "$LINUX" rev-parse "HEAD^{tree}")"'
check "and the messages" same "$(git -C "$WORK/am" log -3 --format=%B | sha256sum)" \
	"$(git -C "$LINUX" log -3 --format=%B | sha256sum)"
check "new files are in the mails, unlike in patches/" eval '
	grep -q "^new file mode" "$mails"/0002-*.patch && ! grep -rq "^new file mode" "$REPO/patches"'

printf 'Subject: dma-buf: Several things\n\nHello \xe2\x80\x93 there.\n' >"$REPO/patches/cover-letter.txt"
check "mails with a cover letter" eval 'run 0 format_patch && says "3 patches, with cover letter"'
cover=$mails/0000-cover-letter.patch
check "it has subject, text, list, statistics and base" eval '
	grep -q "^Subject: \[PATCH 0/3\] dma-buf: Several things" "$cover" &&
	grep -q "^Hello .* there" "$cover" && grep -q "^  drm/xe: Add fresh files" "$cover" &&
	grep -q "create mode 100755 tools/x/run.sh" "$cover" && grep -q "^base-commit: " "$cover"'
cp "$cover" "$WORK/cover"
check "the same again, byte for byte" eval 'run 0 format_patch && cmp "$cover" "$WORK/cover"'
sed -i '/0003/d' "$REPO/patches/series"
rm -r "$REPO/patches/selftests" "$REPO/tools"
check "a mail of a dropped patch goes" eval 'run 0 compose && run 0 format_patch && [ ! -e "$mails"/0003-* ]'
