# SPDX-License-Identifier: GPL-2.0-only
# Every new file is claimed by exactly one patch, and by its kernel path.
. "$(dirname "$0")/lib.sh"

sample_series
good=$(head_of)
keep=$WORK/keep
cp -r "$REPO" "$keep"
restore() {
	rm -rf "$REPO"
	cp -r "$keep" "$REPO"
}
patch2=$REPO/patches/drm-xe/0002-drm-xe-Add-fresh-files.patch
patch1=$REPO/patches/dma-buf/0001-dma-buf-Widen-line-5.patch

check "control: the series as it is" run 0 compose

mkdir -p "$REPO/virt"
echo x >"$REPO/virt/stray.c"
check "a file that no patch claims" refuses "virt/stray.c: claimed by no patch" compose
check "the composed tree is left alone" same "$(head_of)" "$good"
restore

sed -i 's/^ 1 file changed.*/&\n create mode 100644 include\/linux\/fresh.h/' "$patch1"
check "a file claimed by two patches" refuses "include/linux/fresh.h: claimed twice" compose
restore

rm "$REPO/include/linux/fresh.h"
check "a claimed file that is missing" \
	refuses "claims include/linux/fresh.h, which does not exist" compose
restore

chmod +x "$REPO/drivers/dma-buf/fresh.c"
check "a mode that differs from the patch" refuses "fresh.c: has mode 100755" compose
restore

sed -i 's/ create mode 100644 include.linux.fresh.h/ create mode 100644 kernel\/fresh.h/' "$patch2"
check "a claim outside of the kernel folders of the repository" \
	refuses "claims kernel/fresh.h, which is outside" compose
restore

cat >>"$patch1" <<'END'
diff --git a/virt/hunk.c b/virt/hunk.c
new file mode 100644
index 000000000000..111111111111
--- /dev/null
+++ b/virt/hunk.c
@@ -0,0 +1 @@
+int hunk;
END
check "a hunk that creates a file" refuses "carries a hunk that creates virt/hunk.c" compose
restore

cat >>"$patch1" <<'END'
diff --git a/include/linux/fresh.h b/include/linux/fresh.h
--- a/include/linux/fresh.h
+++ b/include/linux/fresh.h
@@ -1 +1 @@
-#define FRESH 1
+#define FRESH 2
END
check "an edit of another patch's new file" refuses "edits include/linux/fresh.h, a new file" compose
restore

sed -i '/0002/d' "$REPO/patches/series"
check "a patch file that the series does not list" refuses "0002.*not listed" compose
restore

echo 'misc/0009-none.patch' >>"$REPO/patches/series"
check "a listed patch that does not exist" refuses "misc/0009-none.patch, which does not exist" compose
restore

ln -s fresh.h "$REPO/include/linux/link.h"
sed -i 's/^ create mode 100644 include/ create mode 120000 include\/linux\/link.h\n&/' "$patch2"
check "a symbolic link" refuses "link.h: a symbolic link" compose
restore

mkdir -p "$REPO/Documentation/hw/card" "$REPO/Documentation/process"
echo x >"$REPO/Documentation/hw/card/notes.rst"
echo x >"$REPO/Documentation/process/testing-on-hardware.rst"
check "the project's own documentation is no kernel file" run 0 compose
check "and stays out of the tree" eval '[ ! -e "$LINUX/Documentation/hw" ]'
echo x >"$REPO/Documentation/process/other.rst"
check "control: other documentation is" refuses "other.rst: claimed by no patch" compose
