# SPDX-License-Identifier: GPL-2.0-only
# Patches apply exactly or not at all, and the message says where not.
. "$(dirname "$0")/lib.sh"

sample_series
good=$(head_of)
patch1=$REPO/patches/dma-buf/0001-dma-buf-Widen-line-5.patch
cp "$patch1" "$WORK/patch1"

sed -i 's/^ int line_2;$/ int line_two;/' "$patch1"
check "the test changed a context line" eval '! cmp -s "$patch1" "$WORK/patch1"'
check "fuzz is refused, naming patch, file and hunk" \
	refuses "0001-dma-buf-Widen-line-5.patch: does not apply to drivers/dma-buf/dma-buf.c: hunk at line 2" \
	compose
git -C "$LINUX" show base:drivers/dma-buf/dma-buf.c >"$WORK/plain.c"
check "control: patch(1) would have applied it with fuzz" \
	patch -s --dry-run "$WORK/plain.c" "$patch1"
check "the tree stays at the last good composition" same "$(head_of)" "$good"
cp "$WORK/patch1" "$patch1"
check "control: the patch as it was" run 0 compose

sed -i 's/^-int line_5;/-int line_6;/' "$patch1"
check "a hunk for other content is refused" refuses "does not apply to drivers/dma-buf/dma-buf.c" compose
printf 'hello\n' >"$patch1"
check "a file that is no patch" refuses "0001-dma-buf-Widen-line-5.patch" compose
cp "$WORK/patch1" "$patch1"

# A newer base: hunks may move, content may not.
package 7.3.100-1 7
check "a newer base on demand" eval 'BASE_VERSION=7.3.100-1 run 0 compose && says "7.3.100-1"'
check "its version is recorded" grep -q '^7.3.100-1 ' "$REPO/build/base-version"
check "the hunk moved with its content" grep -q '^long line_5;' "$LINUX/drivers/dma-buf/dma-buf.c"
printf -- "-- \n2.39.5\n\n" >>"$patch1"
check "a mail signature does no harm" eval 'BASE_VERSION=7.3.100-1 run 0 compose'
check "it stays in use" eval 'run 0 compose && says "unchanged"'
check "the older base comes back with its commits" eval '
	BASE_VERSION=7.3.99-1 run 0 compose && same "$(head_of)" "$good"'

package 7.3.101-1 7
rm -rf "$WORK/pkg/deb/usr" "$WORK/x" && mkdir -p "$WORK/x"
check "a package without a kernel source" eval '
	dpkg-deb --root-owner-group -b "$WORK/pkg/deb" "$CACHE/debs/linux-source-7.3_7.3.101-1_all.deb" &&
	BASE_VERSION=7.3.101-1 refuses "holds no usr/src/linux-source" compose'
check "and the tree is what it was" same "$(head_of)" "$good"

sed -i 's/ create mode 100644 include.linux.fresh.h/ create mode 100644 include\/linux\/crlf.h/' \
	"$REPO"/patches/drm-xe/0002*
mv "$REPO/include/linux/fresh.h" "$REPO/include/linux/crlf.h"
check "a new file that the base has already" \
	refuses "creates include/linux/crlf.h, which exists already" compose
